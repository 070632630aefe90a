"""Check that every notebook is stored as executed, from the top, with reproducible outputs.

nbval compares each output with a fresh run, but a cell without a stored output passes, and so
does an output that must not appear on a printed page, such as a warning.
"""

import re

import nbformat
import pytest

from tests.book.book_files import ROOT

NOTEBOOKS = sorted((ROOT / "book").rglob("*.ipynb"))
UNSTABLE = {
    "the address of an object": re.compile(r"\b0x[0-9a-f]{6,}"),
    "a temporary file": re.compile(r"/tmp/|\\Temp\\"),
    "a folder of one machine": re.compile(r"/(?:home|Users|root|work)/|site-packages"),
}
MAX_LINES, MAX_COLUMNS = 20, 79  # what fits on a page without scrolling

pytestmark = pytest.mark.parametrize(
    "notebook",
    [nbformat.read(path, as_version=4) for path in NOTEBOOKS],
    ids=[path.stem for path in NOTEBOOKS],
)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def first_text(notebook):
    return next(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def texts(cell):
    """Yield all text that is shown below a cell."""
    for output in cell.outputs:
        yield output.get("text", "")
        yield output.get("evalue", "")
        for kind, value in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield value


def test_it_is_a_valid_notebook_for_the_standard_kernel(notebook):
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


def test_it_was_run_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1)), "run tools/run_notebooks.py"


def test_every_cell_that_prints_or_draws_has_its_output_stored(notebook):
    for cell in code_cells(notebook):
        shows = r"^\s*(print\(|check\.|plots\.|plt\.show|with caught\()"
        has_output = re.search(shows, cell.source, re.MULTILINE)
        assert bool(cell.outputs) == bool(has_output), f"unexpected outputs of:\n{cell.source}"


def test_no_error_and_no_warning_is_stored(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", f"{cell.source}\n{output.get('text')}"


def test_no_output_is_tied_to_one_machine_or_one_run(notebook):
    for cell in code_cells(notebook):
        for text in texts(cell):
            for what, pattern in UNSTABLE.items():
                assert not pattern.search(text), f"{what} in the output of:\n{cell.source}"


def test_no_output_is_exempt_from_comparison(notebook):
    """No cell does so today; one that must may be named here, with its reason."""
    for cell in code_cells(notebook):
        marks = [*cell.metadata.get("tags", []), cell.source]
        assert not any("nbval" in mark.lower() for mark in marks), cell.source


def test_cells_are_short_and_define_nothing_for_others(notebook):
    sources = [cell.source for cell in code_cells(notebook)]
    assert [source for source in sources if not 0 < len(source.splitlines()) <= MAX_LINES] == []
    lines = [line for source in sources for line in source.splitlines()]
    assert [line for line in lines if len(line) > MAX_COLUMNS] == []
    assert [line for line in lines if line.startswith("class ")] == []


def test_every_drawing_has_an_alternative_text_a_caption_and_a_name(notebook):
    for cell in code_cells(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            described = cell.metadata.get("mystnb", {})
            assert len(described.get("image", {}).get("alt", "")) > 40, cell.source
            assert described.get("figure", {}).get("caption"), cell.source
            assert described.get("figure", {}).get("name", "").startswith("fig-"), cell.source


def test_it_says_first_what_the_reader_will_be_able_to_do(notebook):
    opening = first_text(notebook).split("\n\n")
    assert opening[0].startswith("# ")
    if opening[0] == "# What nn.Conv2d really does":  # the first page of the book
        return
    assert opening[1].startswith("After this chapter you can ")


def test_a_chapter_ends_with_what_to_remember(notebook):
    """At most five points; the cheat sheets repeat them."""
    if "{chapter-head}" not in first_text(notebook):
        return
    boxes = [cell.source for cell in notebook.cells if cell.source.startswith("## Remember\n")]
    assert len(boxes) == 1
    points = [line for line in boxes[0].splitlines()[1:] if line]
    assert 3 <= len(points) <= 5
    assert all(point.startswith("- ") for point in points)


def test_every_mistake_has_a_heading_with_an_address(notebook):
    """Below "Where people go wrong" each entry can be linked."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    text = "\n\n".join(sources)
    part = re.search(r"^## Where people go wrong\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    if part is None:
        return
    entries = re.findall(r"^(.*)\n### ", part[1], re.M)
    assert len(entries) >= 2
    assert all(re.fullmatch(r"\(wrong-[\w-]+\)=", entry) for entry in entries), entries
    assert not re.search(r"^\*\*[^*]+\*\*", part[1], re.M), "an entry in bold has no address"


def test_code_that_draws_is_folded(notebook):
    """A cell most of whose lines handle matplotlib shows its figure first."""
    drawing = re.compile(r"\b(plt|fig|figure|axes|axis|ax)\b")
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if sum(bool(drawing.search(line)) for line in lines) > len(lines) / 2:
            assert "hide-input" in cell.metadata.get("tags", []), cell.source
