"""The exercises in the notebooks and on the pages are those of `convlab.check`."""

import json
import random

import pytest

from convlab import check
from convlab.check import CHAPTERS, EXERCISES, CodeExercise, ValueExercise
from convlab.check.parsing import parse_numbers
from tests.book.book_files import ROOT
from tools.exercises import section_cells, split


def notebook_cells(chapter):
    text = (ROOT / "book" / f"{chapter}.ipynb").read_text(encoding="utf-8")
    return json.loads(text)["cells"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_holds_the_cells_of_its_exercises(chapter):
    written = split(notebook_cells(chapter))[1]
    expected = section_cells(chapter)
    assert [("".join(cell["source"]), cell["cell_type"], cell["id"]) for cell in written] == [
        (cell["source"], cell["cell_type"], cell["id"]) for cell in expected
    ], "run tools/exercises.py"
    tags = [cell["metadata"].get("tags", []) for cell in written]
    assert tags == [cell["metadata"].get("tags", []) for cell in expected]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_does_not_hold_the_solutions(chapter):
    text = "".join("".join(cell["source"]) for cell in notebook_cells(chapter))
    for exercise in EXERCISES.values():
        if exercise.chapter == chapter:
            assert exercise.explanation not in text
        if isinstance(exercise, CodeExercise):
            assert exercise.solution_source not in text


def random_answers(dice, exercise):
    """Return right and wrong answers, as people may type them, and nonsense."""
    if exercise.choices:
        return [*exercise.choices, "", "none of them"]
    known = [exercise.answer, *(mistake.answer for mistake in exercise.mistakes)]
    answers = []
    for _ in range(60):
        value = dice.choice(known)
        numbers = list(value) if isinstance(value, tuple) else [value]
        if dice.random() < 0.3:
            numbers[dice.randrange(len(numbers))] += dice.choice([1, -1, 0.5, 1e-12])
        separator = dice.choice([", ", ",", " ", " x ", "×", ";\n"])
        text = separator.join(map(str, numbers))
        answers.append(dice.choice(["{}", "({})", "[{}]", "torch.Size([{}])", " {} "]).format(text))
    nonsense = ["", "abc", "1/0", "7/1", "14/2", "\N{MINUS SIGN}7", "1e1", "7.", ".5", "7 cells"]
    nonsense += ["1,000", "x", "()", "--7", "7,,7", "\0", "0x7", "½", "7" * 400, "1/" + "9" * 400]
    return answers + nonsense + ["1 and 2", "1 to 2", "7 pixels", "7cells", "and", "15-19", "1.5.2"]


JUDGE = """(answers) => Object.entries(answers).map(([name, texts]) => {
  const field = document.querySelector(`conv-exercise[data-name="${name}"]`);
  const { judge } = customElements.get("conv-exercise");
  return texts.map((text) => judge(JSON.parse(field.dataset.exercise), text));
})"""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_page_judges_as_the_package_does(new_tab, site, chapter):
    answers = {
        name: random_answers(random.Random(name), exercise)
        for name, exercise in EXERCISES.items()
        if exercise.chapter == chapter and isinstance(exercise, ValueExercise)
    }
    page = new_tab((site / "book" / f"{chapter}.html").as_uri()).page
    judged = page.evaluate(JUDGE, answers)
    for (name, texts), results in zip(answers.items(), judged, strict=True):
        for text, got in zip(texts, results, strict=True):
            expected = check.check(name, text.strip())
            if "error" in got:
                assert expected.message.startswith(got["error"][:20]), (name, text)
            else:
                assert got["passed"] == expected.passed, (name, text)
                assert got.get("mistake") == expected.mistake, (name, text)
                assert got.get("note", expected.message) == expected.message, (name, text)


def test_numbers_are_read_as_python_reads_them():
    assert parse_numbers("-1/4, 2.5e1;.5", single=False) == (-0.25, 25.0, 0.5)
    assert parse_numbers("1,000,000", single=True) == (1_000_000,)
    assert parse_numbers("1,000", single=False) == (1, 0)
    assert parse_numbers([[1, 2], [3, 4]], single=False) == (1, 2, 3, 4)
    assert parse_numbers("6 and 1.4", single=False) == (6, 1.4)
    assert parse_numbers("31 pixels", single=True) == (31,)
    assert parse_numbers("4 rows to 8 columns", single=False) == (4, 8)
    for text in ("15-19", "1.5.2", "6 images", "momentum=0.1"):
        with pytest.raises(ValueError, match="Type numbers only"):
            parse_numbers(text, single=False)


def test_a_learner_answers_with_the_keyboard(new_tab, site):
    page = new_tab((site / "book" / "shapes.html").as_uri() + "#exercises").page
    field = page.locator('conv-exercise[data-name="count_places"]')
    output = field.locator("output")
    field.locator("input").focus()
    page.keyboard.type("6")
    page.keyboard.press("Enter")
    assert output.inner_text().split("\n")[0] == "Not yet."
    assert "There is one place more." in output.inner_text()
    page.keyboard.press("Backspace")
    assert output.inner_text() == ""
    page.keyboard.type("7")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert output.inner_text().startswith("Right.")
    assert EXERCISES["count_places"].explanation in output.inner_text()
