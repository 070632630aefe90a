"""Check that every number in the text has its evidence, and that a wrong one is noticed."""

import json
from collections import Counter

import pytest

from tests.book import numbers

# Of the changed numbers of two digits and more, 95 % are noticed (python -m tests.book.numbers
# --mutate 5000), of those of one digit 77 %: a single digit often stands in the next cell too.
SAMPLE, NOTICED, NOTICED_OF_ONE_DIGIT = 2000, 0.90, 0.65


@pytest.fixture(scope="module")
def pages():
    return numbers.load()


@pytest.mark.parametrize("name", numbers.PAGES)
def test_every_number_has_its_evidence(pages, name):
    faults = list(numbers.unsupported(pages[name]))
    assert not faults, "\n".join(faults)
    assert not numbers.unused_reasons(pages[name]), "in numbers.yml, but not on the page"


def test_a_changed_number_is_noticed(pages):
    counts = {False: Counter(), True: Counter()}
    for change in numbers.changes(pages, SAMPLE, seed=0):
        if change.digits:
            counts[change.digits > 1][change.noticed] += 1
    for several_digits, bound in ((True, NOTICED), (False, NOTICED_OF_ONE_DIGIT)):
        count = counts[several_digits]
        assert count[True] >= bound * count.total()


def code(source, printed="", caption="", alt="", drawn=""):
    outputs = [{"text": [printed]}]
    if drawn:
        outputs = [{"data": {"text/plain": f"<Drawing: {drawn}>"}}]
    figure = {"figure": {"caption": caption}, "image": {"alt": alt}} if alt else {}
    metadata = {"mystnb": figure} if figure else {}
    return {"cell_type": "code", "source": source, "outputs": outputs, "metadata": metadata}


def text(source):
    return {"cell_type": "markdown", "source": source}


def refused(*cells, reasons=None):
    """List the numbers of a notebook that nothing holds."""
    content = json.dumps({"cells": cells})
    page = numbers.Page(numbers.blocks_of_notebook(content), reasons or {}, ["float32", "VGG-16"])
    return [match[0] for scope in page.scopes for match, held in page.check(scope) if not held]


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("It has 1,280 weights.", "It has 1,820 weights."),
        ("The sum is −24.5.", "The sum is −25.4."),
        ("The share is 45 %.", "The share is 54 %."),
        ("The share is 0.452.", "The share is 0.425."),
        ("About 2.3 million.", "About 3.2 million."),
        ("About 3·10⁻⁵.", "About 3·10⁻⁶."),
        ("It takes 7 ms.", "It takes 9 ms."),
        ("A map of 14×14.", "A map of 14×41."),
        ("A map of 12×14.", "A map of 14×12."),
        ("They are 3, 8 and 4.", "They are 3, 8 and 7."),
        ("It lies between 17 and 71.", "It lies between 17 and 70."),
        ("From 0 to 8.", "From 0 to 6."),
        ("Every 0, 4, 8, that is.", "Every 0, 4, 7, that is."),
        ("With stride 2.", "With stride 4."),
        ("It is 3 + 4 = 7.", "It is 3 + 4 = 8."),
        ("It is 1/8 of it.", "It is 1/9 of it."),
        ("In float32.", "In float23."),
        ("VGG-16 does.", "VGG-61 does."),
    ],
)
def test_evidence_is_a_value_that_the_cell_computes_with_or_prints(sentence, wrong):
    cell = code(
        "conv(x[:5], stride=2)  # 99\nnp.ones((1, 12, 14))\nf(7e-3, 17, 71)",
        "1280 -24.5 0.4519 2312345 3e-05 [3, 8, 4] 0.125",
    )
    assert refused(text("## One"), text(sentence), cell) == []
    assert refused(text("## One"), text(wrong), cell) != []


@pytest.mark.parametrize(
    "source",
    [
        "The formula $n = 77$ or {math}`77`.",
        "$$\n77 + 1\n$$ (eq-one)",
        "Call `f(77)` or {py:func}`f77`.",
        "```python\nf(77)\n```",
        "[a link](https://example.org/77) and [another](page.ipynb#sec-77)",
        "77. A list.\n78. Its second item.",
        "(sec-77)=\n## Heading",
        "<https://example.org/77>",
        "Document 3 differs from [document 4](#d4-28), and so does [0](#d0-05).",
    ],
)
def test_formulas_code_addresses_and_item_numbers_are_not_prose(source):
    assert refused(text(source)) == []


def test_a_table_is_checked_cell_by_cell():
    table = text("| a | b |\n|---|---|\n| 21 | 22 |\n| 23 | see {cite:t}`someone` 24 |")
    assert refused(table, code("f(21)")) == ["22", "23"]


@pytest.mark.parametrize("cited", ["{cite:t}`someone` found 77.", "77, [they say](https://a.org)."])
def test_a_citation_holds_the_numbers_of_its_own_sentence_only(cited):
    assert refused(text(cited)) == []
    assert refused(text(f"It is 78. {cited} And 79.")) == ["78", "79"]


def test_evidence_stands_in_the_same_section():
    cells = text("## One\n\nIt is 1,280."), code("f(3)"), text("## Two"), code("", "1280")
    assert refused(*cells) == ["1,280"]
    assert refused(*cells[:2], text("### Within one"), code("", "1280")) == []


def test_a_small_number_stands_in_the_cell_before_or_after():
    near = text("## One"), code("f(7)"), text("Seven is 7, and 8."), code("f(8)")
    assert refused(*near) == []
    assert refused(code("f(6)"), *near[1:], text("Here 6."), code("f(9)"), code("f(5)")) == ["6"]


def test_what_a_figure_shows_holds_its_caption_but_not_the_text():
    cell = code(
        "plots.draw(x)", caption="From 37.", alt="First 37 47 / 67 77.", drawn="37 47 67 77"
    )
    assert refused(text("It is 37."), cell) == ["37"]
    cell = code(
        "plots.draw(x)", caption="From 38.", alt="First 37 47 / 67 78.", drawn="37 47 67 77"
    )
    assert refused(cell) == ["38", "37", "47", "67", "78"]


@pytest.mark.parametrize(
    "source", ["", "x[77]", "# 77", "f(figsize=(77, 1))", "float77", "seed(77)"]
)
def test_indices_comments_sizes_of_figures_and_names_are_no_evidence(source):
    assert refused(text("It is 77."), code(source)) == ["77"]


def test_a_reason_accepts_the_piece_of_text_that_it_quotes():
    reasons = {"a year": ["in 1998, by"]}
    assert refused(text("It was done in\n1998, by hand."), reasons=reasons) == []
    assert refused(text("It was done in 1989, by hand."), reasons=reasons) == ["1989"]
    page = numbers.Page(numbers.blocks_of_markdown("In 1989."), reasons, [])
    assert numbers.unused_reasons(page) == [r"in\s+1998,\s+by"]


def test_a_reason_that_names_a_place_is_checked():
    elsewhere = text("## One"), code("", "640"), text("## Two\n\nAs above, 640.")
    assert refused(*elsewhere) == ["640"]
    assert refused(*elsewhere, reasons={"printed in another section": ["above, 640"]}) == []
    wrong = {"printed in another section": ["above, 641"]}
    assert refused(text("As above, 641."), code("", "640"), reasons=wrong) == ["641"]
    assert refused(text("390 px"), reasons={"stands in tests/book/tab.py": ["390 px"]}) == []
    assert refused(text("391 px"), reasons={"stands in tests/book/tab.py": ["391 px"]}) == ["391"]


def test_a_fault_says_what_stands_where_and_where_it_was_looked_for():
    content = json.dumps({"cells": [text("## One\n\nA row. It has 7 cells."), code("f(3)")]})
    page = numbers.Page(numbers.blocks_of_notebook(content), {}, [])
    assert list(numbers.unsupported(page)) == [
        "'7' in the text of cell 0, 'It has 7 cells.': not in the cells beside it (1) nor, with a "
        "reason, in numbers.yml"
    ]
