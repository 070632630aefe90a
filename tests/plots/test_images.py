"""Pictures show their arrays, with zero at the right place of the scale."""

import numpy as np
import pytest

from convlab import ops, plots
from tests.plots.reading import texts

RNG = np.random.default_rng(0)


def test_pictures_keep_their_pixels_and_fill_rows():
    named = {f"picture {number}": np.full((2, 3), number) for number in range(5)}
    axes = plots.images(named, columns=2).axes
    assert [ax.get_title() for ax in axes] == list(named)
    assert [ax.images[0].get_array().max() for ax in axes] == [0, 1, 2, 3, 4]
    rows = {round(ax.get_position().y0, 3) for ax in axes}
    assert len(rows) == 3


def test_symmetric_pictures_have_zero_in_the_middle():
    (ax,) = plots.images({"x": np.array([[-1.0, 0.0, 3.0]])}, symmetric=True).axes
    assert ax.images[0].get_clim() == (-3, 3)


def test_a_symmetric_picture_of_zeros_is_the_middle_grey():
    (ax,) = plots.images({"x": np.zeros((2, 2))}, symmetric=True).axes
    assert ax.images[0].get_clim() == (-1, 1)


def test_pictures_are_stretched_one_by_one_or_together():
    named = {"dark": np.array([[1, 2]]), "light": np.array([[5, 9]])}
    named["colours"] = np.full((1, 2, 3), 255, dtype=np.uint8)
    assert limits(plots.images(named), 2) == [(1, 2), (5, 9)]
    assert limits(plots.images(named, scale="common"), 2) == [(1, 9), (1, 9)]
    named["dark"] = np.array([[-11.0, 2.0]])
    assert limits(plots.images(named, scale="common", symmetric=True), 2) == [(-11, 11)] * 2
    with pytest.raises(ValueError, match="scale must be 'common' or 'each', got 'all'"):
        plots.images(named, scale="all")


def test_the_width_of_a_figure_is_that_of_all_pictures_together():
    named = {"a": np.eye(3), "b": np.eye(3)}
    drawing = plots.images(named, columns=2, width=4.0)
    np.testing.assert_allclose(drawing.get_size_inches(), [4.0, 2.3])


def test_kernels_are_rows_and_channels_columns_on_one_scale():
    weight = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    *slices, _colour_bar = plots.kernel_slices(weight).axes
    for ax, numbers in zip(slices, weight.reshape(6, 4, 5), strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), numbers)
    assert {ax.images[0].get_clim() for ax in slices} == {
        (-np.abs(weight).max(), np.abs(weight).max())
    }


def pictures(drawing):
    return [np.asarray(ax.images[0].get_array()) for ax in drawing.axes if ax.images]


def limits(drawing, count):
    return [ax.images[0].get_clim() for ax in drawing.axes[:count]]


def titles(drawing):
    return [ax.get_title() for ax in drawing.axes]


def test_every_channel_is_drawn_as_it_is():
    maps = RNG.normal(size=(5, 4, 6))
    drawing = plots.feature_maps(maps, columns=2)
    for picture, numbers in zip(pictures(drawing), maps, strict=False):
        np.testing.assert_array_equal(picture, numbers)
    assert titles(drawing)[:5] == ["0", "1", "2", "3", "4"]
    assert len({round(ax.get_position().y0, 3) for ax in drawing.axes[:5]}) == 3


def test_on_the_common_scale_a_number_has_one_colour():
    maps = np.stack([np.eye(3), 5 * np.eye(3)])
    drawing = plots.feature_maps(maps)
    assert limits(drawing, 2) == [(0, 5), (0, 5)]
    assert len(drawing.axes) == 3  # with the bar that says which


def test_zero_is_in_the_middle_where_there_are_negative_numbers():
    maps = np.stack([np.eye(3), -5 * np.eye(3)])
    assert limits(plots.feature_maps(maps), 2) == [(-5, 5), (-5, 5)]
    drawing = plots.feature_maps(maps, scale="each")
    assert limits(drawing, 2) == [(-1, 1), (-5, 5)]
    assert titles(drawing) == ["0: ±1", "1: ±5"]


def test_a_map_of_zeros_stays_black():
    drawing = plots.feature_maps(np.zeros((1, 2, 2)), scale="each")
    assert limits(drawing, 1) == [(0, 1)]
    assert titles(drawing) == ["0: 0"]


def test_a_weight_of_zero_is_the_middle_grey_and_the_largest_is_black_or_white():
    weight = np.array([[[[0.0, 2.0, -4.0]]]])
    (picture,) = pictures(plots.filters(weight))
    assert picture.tolist() == [[0.5, 0.75, 0.0]]


def test_three_channels_are_red_green_and_blue():
    weight = RNG.normal(size=(2, 3, 5, 7))
    largest = np.abs(weight).max()
    for picture, kernel in zip(pictures(plots.filters(weight)), weight, strict=True):
        np.testing.assert_allclose(
            (picture - 0.5) * 2 * largest, kernel.transpose(1, 2, 0), atol=1e-12
        )


def test_each_kernel_may_have_a_scale_of_its_own():
    weight = np.stack([np.full((3, 2, 2), 1.0), np.full((3, 2, 2), -8.0), np.zeros((3, 2, 2))])
    drawn = pictures(plots.filters(weight, scale="each"))
    assert [picture.ravel()[0] for picture in drawn] == [1, 0, 0.5]


def test_a_slice_of_any_kernel_is_grey():
    weight = RNG.normal(size=(2, 64, 3, 3))
    drawn = pictures(plots.filters(weight, channel=63))
    slices = weight[:, 63]
    for picture, numbers in zip(drawn, slices, strict=True):
        np.testing.assert_allclose(picture, 0.5 + numbers / (2 * np.abs(slices).max()))


def test_the_weights_are_not_changed():
    weight = RNG.normal(size=(2, 3, 3, 3))
    kept = weight.copy()
    plots.filters(weight, scale="each")
    plots.feature_maps(weight[0], scale="each")
    np.testing.assert_array_equal(weight, kept)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.images({"x": np.ones((2, 2, 4))}), r"shape \(2, 2, 4\)"),
        (lambda: plots.images({"x": np.ones((2, 2))}, columns=0), "columns .* got 0"),
        (lambda: plots.images({}), "nothing to draw"),
        (lambda: plots.kernel_slices(np.ones((3, 3))), r"got shape \(3, 3\)"),
        (lambda: plots.feature_maps(np.ones((3, 3))), r"array must be \(C, H, W\).* \(3, 3\)"),
        (lambda: plots.feature_maps(np.ones((0, 3, 3))), r"shape \(0, 3, 3\)"),
        (lambda: plots.feature_maps(np.full((1, 2, 2), np.nan)), "array must be finite"),
        (lambda: plots.feature_maps(np.ones((1, 2, 2)), columns=0), "columns .* got 0"),
        (lambda: plots.feature_maps(np.ones((1, 2, 2)), scale="own"), "scale .* got 'own'"),
        (lambda: plots.filters(np.ones((3, 3))), r"weight must be .* shape \(3, 3\)"),
        (lambda: plots.filters(np.ones((2, 4, 3, 3))), "1 or 3 input channels, got 4"),
        (lambda: plots.filters(np.ones((2, 4, 3, 3)), channel=4), "below in_channels=4, got 4"),
        (
            lambda: plots.filters(np.full((1, 1, 2, 2), np.inf)),
            "weight must be finite.* NaN or inf",
        ),
        (lambda: plots.filters(np.ones((2, 3, 3, 3)), columns=0), "columns .* got 0"),
        (lambda: plots.filters(np.ones((2, 3, 3, 3)), scale="own"), "scale .* got 'own'"),
    ],
)
def test_invalid_arguments_are_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_a_convolution_step_shows_one_number_of_the_map():
    image, kernel = np.arange(42).reshape(6, 7) ** 2, np.array([[1, -2, 0], [3, 0, -1]])
    axes = plots.convolution_step(image, kernel, row=2, column=4).axes
    feature_map = ops.conv2d(image[None] * 1.0, kernel[None, None] * 1.0)[0]
    window = image[2:4, 4:7]
    assert texts(axes[1]) == [str(pixel) for pixel in window.flat]
    assert texts(axes[2])[:2] == [f"{window[0, 0]} · 1", f"{window[0, 1]} · (\u22122)"]
    assert f"{feature_map[2, 4]:g}".replace("-", "\u2212") in axes[3].get_title()
    np.testing.assert_array_equal(axes[0].images[0].get_array(), image)
    np.testing.assert_array_equal(axes[3].images[0].get_array(), feature_map)
    corners = [ax.patches[0].get_xy() for ax in (axes[0], axes[3])]
    assert corners == [(3.5, 1.5)] * 2


@pytest.mark.parametrize(
    ("image", "row", "words"),
    [(np.zeros(3), 0, "image must be two-dimensional"), (np.zeros((4, 4)), 3, r"\(3, 0\).*3x3")],
)
def test_a_convolution_step_outside_the_map_is_refused(image, row, words):
    with pytest.raises(ValueError, match=words):
        plots.convolution_step(image, np.zeros((2, 2)), row=row, column=0)
