"""Coverage, growth and paths of a receptive field are those that `convlab.shapes` counts."""

import numpy as np
import pytest

from convlab import plots
from convlab.plots.drawing import READ
from convlab.shapes import path_counts
from tests.plots.reading import cells


def shades(ax):
    return ax.collections[0].get_array()


def test_a_stack_is_drawn_as_its_counted_paths():
    layers = [(3, 2, 1), (2, 1, 3)]
    (ax,) = plots.receptive_field_coverage({"stack": layers}).axes
    drawn = shades(ax)
    np.testing.assert_array_equal(drawn.filled(0), np.outer(*path_counts(layers)))
    np.testing.assert_array_equal(drawn.mask, drawn.filled(0) == 0)
    assert ax.get_title() == "stack"


def test_height_and_width_of_a_layer_may_differ():
    (ax,) = plots.receptive_field_coverage({"wide": [((1, 3), 1, (1, 2))]}).axes
    np.testing.assert_array_equal(shades(ax).filled(0), [[1, 0, 1, 0, 1]])


def test_an_array_is_drawn_as_it_is():
    gradient = np.array([[0.0, 0.5, 0.25], [1.5, 0.0, 0.0]])
    (ax,) = plots.receptive_field_coverage({"gradient": gradient}).axes
    np.testing.assert_array_equal(shades(ax).filled(0), gradient)
    assert ax.get_xlabel() == "3 of 6 cells"


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([(3,)], "9 of 9 cells"),
        ([(3, 1, 2)] * 3, "49 of 169 cells\nup to 49 paths"),
        ([(3, 1, d) for d in (1, 2, 5)], "289 of 289 cells\nup to 4 paths"),
        ([(3,)] * 10, "441 of 441 cells\nup to 80,156,209 paths"),
    ],
)
def test_the_label_gives_the_coverage_of_the_window(layers, words):
    (ax,) = plots.receptive_field_coverage({"stack": layers}).axes
    assert ax.get_xlabel() == words


def test_panels_fill_rows_and_share_the_size_of_a_cell():
    named = {f"dilation {d}": [(3, 1, d)] for d in (1, 2, 3)}
    axes = plots.receptive_field_coverage(named, columns=2).axes
    assert [ax.get_title() for ax in axes] == list(named)
    spans = {round(np.ptp(ax.get_xlim()), 6) for ax in axes}
    assert len(spans) == 1
    centres = [np.mean(ax.get_xlim()) for ax in axes]
    np.testing.assert_allclose(centres, [1, 2, 3])


def test_a_row_of_panels_is_as_high_as_its_largest():
    named = {f"dilation {d}": [(3, 1, d)] for d in (1, 2, 3)}
    axes = plots.receptive_field_coverage(named, columns=2).axes
    spans = [abs(np.diff(ax.get_ylim()).item()) for ax in axes]
    np.testing.assert_allclose(spans, [5.2, 5.2, 7.2])


def test_the_cells_of_all_panels_have_one_size():
    stacks = ((1, 1, 1, 1), (1, 2, 1, 2), (1, 2, 3, 4), (1, 2, 4, 8))
    named = {str(stack): [(3, 1, d) for d in stack] for stack in stacks}
    drawing = plots.receptive_field_coverage(named, columns=2)
    drawing.draw_without_rendering()
    sides = [np.ptp(ax.transData.transform([(0, 0), (1, 0)]), axis=0)[0] for ax in drawing.axes]
    np.testing.assert_allclose(sides, sides[0], rtol=0.01)


def test_numbers_are_written_into_cells_that_are_read():
    (ax,) = plots.receptive_field_coverage({"x": [(2, 1, 2), (2, 1, 2)]}, numbers=True).axes
    written = {text.get_position(): text.get_text() for text in ax.texts}
    counts = np.outer(*path_counts([(2, 1, 2), (2, 1, 2)]))
    assert written == {
        (column, row): str(number) for (row, column), number in np.ndenumerate(counts) if number
    }


def test_an_array_of_zeros_is_white():
    (ax,) = plots.receptive_field_coverage({"dead": np.zeros((2, 2))}).axes
    assert shades(ax).mask.all()
    assert ax.get_xlabel() == "0 of 4 cells"


def test_the_curves_hold_the_receptive_field_after_each_layer():
    doubling = [(3, 1, 2**n) for n in range(4)]
    (ax,) = plots.receptive_field_growth({"plain": [(3,)] * 4, "doubling": doubling}).axes
    assert [list(line.get_ydata()) for line in ax.lines] == [[1, 3, 5, 7, 9], [1, 3, 7, 15, 31]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["plain", "doubling"]
    assert [text.get_text() for text in ax.texts] == ["9", "31"]


def filled(ax):
    """Return the centres of the filled cells, per row from the input upwards."""
    rows = {}
    for patch in cells(ax, READ):
        x, y = patch.get_center()
        rows.setdefault(round(float(y), 6), []).append(round(float(x), 6))
    return [sorted(rows[y]) for y in sorted(rows)]


def test_the_cells_of_each_level_stand_over_the_middle_of_what_they_read():
    (ax,) = plots.receptive_field_paths([(3, 2, 1), (2, 1, 2)]).axes
    assert filled(ax) == [[0, 1, 2, 4, 5, 6], [1, 5], [3]]
    assert [text.get_text() for text in ax.texts[:7]] == ["1", "1", "1", "", "1", "1", "1"]


def test_every_line_is_one_weight_of_one_window():
    (ax,) = plots.receptive_field_paths([(3, 1, 2), (3, 1, 1)]).axes
    assert len(ax.lines) == 3 * 3 + 3
    spans = {round(float(np.ptp(line.get_xdata())), 6) for line in ax.lines}
    assert spans == {0, 1, 2}


def test_the_rows_are_labelled_with_their_layers():
    (ax,) = plots.receptive_field_paths([(3, 2), (1,), ((2, 5), 1, (1, 3))]).axes
    assert [text.get_text() for text in ax.texts[-4:]] == [
        "kernel 3, stride 2",
        "kernel 1",
        "kernel 5, dilation 3",
        "input",
    ]


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plots.receptive_field_coverage({}), ValueError, "nothing to draw"),
        (lambda: plots.receptive_field_coverage({"x": []}), ValueError, "layers is empty"),
        (
            lambda: plots.receptive_field_coverage({"x": [(3, 1, 0)]}),
            ValueError,
            "dilation .* got 0",
        ),
        (lambda: plots.receptive_field_coverage({"x": [3]}), TypeError, "got int 3"),
        (
            lambda: plots.receptive_field_coverage({"x": np.ones(3)}),
            ValueError,
            r"'x' .* got shape \(3,\)",
        ),
        (
            lambda: plots.receptive_field_coverage({"x": np.ones((0, 3))}),
            ValueError,
            r"'x' .* got shape \(0, 3\)",
        ),
        (
            lambda: plots.receptive_field_coverage({"x": -np.ones((2, 2))}),
            ValueError,
            "'x' .* -1 .* absolute",
        ),
        (
            lambda: plots.receptive_field_coverage({"x": np.full((2, 2), np.nan)}),
            ValueError,
            "'x' .* got nan",
        ),
        (
            lambda: plots.receptive_field_coverage({"x": [(3,)]}, columns=0),
            ValueError,
            "columns .* got 0",
        ),
        (lambda: plots.receptive_field_growth({}), ValueError, "from 1 to 5, got 0"),
        (
            lambda: plots.receptive_field_growth({str(n): [(3,)] for n in range(6)}),
            ValueError,
            "from 1 to 5, got 6",
        ),
        (lambda: plots.receptive_field_growth({"x": []}), ValueError, "layers is empty"),
        (lambda: plots.receptive_field_paths([]), ValueError, "layers is empty"),
        (lambda: plots.receptive_field_paths([(3, 0)]), ValueError, "stride .* got 0"),
    ],
)
def test_invalid_arguments_are_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
