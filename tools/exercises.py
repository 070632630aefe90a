"""Write the cells of the exercises into the notebooks, from ``convlab/check/exercises``.

The section "Exercises" of a chapter stands before "Further reading"; everything in it is generated.
Cells whose text is the same keep their outputs and tags.
Run this after a change of an exercise, and then ``make notebooks``::

    python tools/exercises.py
"""

import json
from pathlib import Path

from convlab.check import CHAPTERS, EXERCISES, CodeExercise, SearchExercise, ValueExercise

BOOK = Path(__file__).parent.parent / "book"
HEADING, NEXT_HEADING = "## Exercises", "## Further reading"
INTRODUCTION = f"""{HEADING}

Pencil exercises can be answered on the page. For the others, open this notebook, replace each
`...`, and run the cell; or write the answers into a file for [`convlab check`](api-cli.md). A wrong
answer gets a counterexample, and a hint if the mistake is a known one. Functions return ints for
counts, and arrays in the dtype of their input; they leave their arguments as they are."""

KINDS = {CodeExercise: "Code", ValueExercise: "Pencil", SearchExercise: "In the notebook"}


def markdown(id, source):
    """Return a cell of text."""
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def code(id, source, tags):
    """Return a cell of code that has not run."""
    cell = {"cell_type": "code", "execution_count": None, "id": id, "metadata": {"tags": tags}}
    return cell | {"outputs": [], "source": source}


def exercise_cells(exercise):
    """Return the cells of an exercise: its text, and the blank with the call that checks it."""
    name = exercise.id
    text = f"(exercise-{name})=\n### {exercise.title}\n\n"
    minutes = f"about {exercise.minutes} minute{'s' * (exercise.minutes > 1)}"
    text += f"*{KINDS[type(exercise)]}, {minutes}.* {exercise.text}"
    if getattr(exercise, "code", ""):
        text += f"\n\n```python\n{exercise.code}\n```"
    if isinstance(exercise, CodeExercise):
        blank, tags = f"{exercise.blank_source}\n\n\ncheck.{name}({name})", ["remove-output"]
    else:
        # A value has a field on the page; what has a property is checked in the notebook only.
        tag = "remove-cell" if isinstance(exercise, ValueExercise) else "remove-output"
        blank, tags = f"{name} = ...\ncheck.{name}({name})", [tag]
    return [
        markdown(f"exercise-{name}"[:60], text),
        code(f"answer-{name}"[:60], blank, tags),
    ]


def section_cells(chapter):
    """Return the cells of a chapter's section of exercises."""
    cells = [
        markdown("exercises", INTRODUCTION),
        code("exercises-import", "from convlab import check", []),
    ]
    for exercise in EXERCISES.values():
        if exercise.chapter == chapter:
            cells += exercise_cells(exercise)
    return cells


def split(cells):
    """Return the cells before the section of exercises, in it, and after it."""
    starts = [i for i, cell in enumerate(cells) if is_heading(cell, HEADING)]
    end = next(i for i, cell in enumerate(cells) if is_heading(cell, NEXT_HEADING))
    start = starts[0] if starts else end
    return cells[:start], cells[start:end], cells[end:]


def is_heading(cell, heading):
    """Tell whether a cell holds a heading."""
    return cell["cell_type"] == "markdown" and f"\n{heading}\n" in "\n" + "".join(cell["source"])


def main():
    """Write the cells of all chapters."""
    for chapter in CHAPTERS:
        path = BOOK / f"{chapter}.ipynb"
        notebook = json.loads(path.read_text(encoding="utf-8"))
        before, written, after = split(notebook["cells"])
        cells = section_cells(chapter)
        for cell in cells:
            cell["source"] = cell["source"].splitlines(keepends=True)
        known = {(cell["id"], "".join(cell["source"])): cell for cell in written}
        cells = [known.get((cell["id"], "".join(cell["source"])), cell) for cell in cells]
        notebook["cells"] = [*before, *cells, *after]
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
