"""Check that the solutions compute with the numbers of the worksheet, and what fits on paper."""

import ast
import re

import nbformat
import pytest

from tests.book.book_files import ROOT

TABLE = re.compile(r'<table class="sheet-grid.*?</table>', re.DOTALL)
ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<td>(.*?)</td>")
TASK = re.compile(r"^## \d\. .*$", re.MULTILINE)


def tasks_of(page):
    """Split a page at the headings of its tasks."""
    return dict(zip(TASK.findall(page), TASK.split(page)[1:], strict=True))


def grids(text):
    """List the grids of numbers of a task; those to be filled in are left out."""
    tables = [
        [[cell.replace("−", "-") for cell in CELL.findall(row)] for row in ROW.findall(table)]
        for table in TABLE.findall(text)
    ]
    full = [t for t in tables if all(cell for row in t for cell in row)]
    return [[[float(cell) for cell in row] for row in table] for table in full]


def arrays(sources):
    """List the two-dimensional lists of numbers in the code, and those inside of deeper ones."""
    found = []
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.List):
                try:
                    rows = ast.literal_eval(node)
                except ValueError:
                    continue
                if all(isinstance(row, list) for row in rows):
                    found.append(rows)
    return found


@pytest.fixture
def sheet():
    return (ROOT / "book/worksheet.md").read_text(encoding="utf-8")


@pytest.fixture
def solutions():
    """Return the sources of the cells of the solutions, by the type of cell."""
    notebook = nbformat.read(ROOT / "book/worksheet-solutions.ipynb", as_version=4)
    return {
        kind: [cell.source for cell in notebook.cells if cell.cell_type == kind]
        for kind in ("code", "markdown")
    }


def test_the_solutions_use_the_numbers_of_the_worksheet(sheet, solutions):
    known = [*arrays(solutions["code"]), [[1] * 3] * 3]
    given = [grid for text in tasks_of(sheet).values() for grid in grids(text)]
    assert len(given) == 11
    assert [grid for grid in given if grid not in known] == []


def test_each_layer_of_the_worksheet_is_solved(sheet, solutions):
    code = "\n".join(solutions["code"])
    layers = re.findall(r"`(nn\.Conv2d\([^`]*\)|kernel_size=[^`]*)`", sheet)
    assert len(layers) == 8
    assert [layer for layer in layers if layer not in code] == []


def test_worksheet_and_solutions_have_the_same_tasks(sheet, solutions):
    texts = "\n".join(solutions["markdown"])
    assert list(tasks_of(sheet)) == list(tasks_of(texts))
    assert len(tasks_of(sheet)) == 9


@pytest.mark.parametrize(("name", "count"), [("worksheet", 2), ("cheat-sheets", 3)])
def test_a_sheet_fits_on_its_pages_of_paper(new_tab, site, name, count):
    page = new_tab((site / "book" / f"{name}.html").as_uri()).page
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == count
