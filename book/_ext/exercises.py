"""What a page adds to the exercises of its notebook: a field for values, hints, and the solution.

The cells of an exercise are written by ``tools/exercises.py``. The downloaded notebook holds these
only; what follows is put into the text of the page while it is built.
"""

import json
import re
from typing import ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from convlab.check import EXERCISES, CodeExercise, SearchExercise, ValueExercise

KINDS = {CodeExercise: "code", ValueExercise: "pencil", SearchExercise: "search"}
LABEL = re.compile(r"^\(exercise-(\w+)\)=$", re.MULTILINE)


def add_help(app, name, source):
    """Add a field, hints and the solution below each exercise of a notebook."""
    if "(exercise-" not in source[0] or not app.env.doc2path(name).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    cells = []
    exercise = None  # the one whose blank comes next
    for cell in notebook["cells"]:
        cells.append(cell)
        if label := LABEL.search("".join(cell["source"])):
            exercise = EXERCISES[label[1]]
        elif cell["cell_type"] == "code" and exercise is not None:
            text = {"cell_type": "markdown", "id": f"help-{len(cells)}", "metadata": {}}
            cells.append({**text, "source": help_text(exercise)})
            exercise = None
    source[0] = json.dumps({**notebook, "cells": cells})


def help_text(exercise):
    """Return the Markdown of what stands below an exercise."""
    parts = []
    if isinstance(exercise, ValueExercise):
        parts.append(f"```{{answer-field}} {exercise.id}\n```")
    for number, hint in enumerate(exercise.hints, start=1):
        parts.append(f":::{{dropdown}} Hint {number}\n{hint}\n:::")
    parts.append(f":::{{dropdown}} Show the solution?\n{solution(exercise)}\n:::")
    return "\n\n".join(parts)


def solution(exercise):
    """Return the solution and what to take away, in Markdown."""
    if isinstance(exercise, CodeExercise):
        return f"```python\n{exercise.solution_source}\n```\n\n{exercise.explanation}"
    right = exercise.example if isinstance(exercise, SearchExercise) else exercise.answer
    return f"`{right}`. {exercise.explanation}"


class Answer(nodes.General, nodes.Element):
    """A field for the answer to an exercise; its children are shown after an answer."""


class AnswerText(nodes.General, nodes.Element):
    """A hint, or what to take away."""


class AnswerField(SphinxDirective):
    """Put a field here, with the hints for wrong values."""

    required_arguments = 1
    option_spec: ClassVar = {}

    def run(self):
        exercise = EXERCISES[self.arguments[0]]
        data = {
            "answer": exercise.answer if exercise.choices else exercise.numbers,
            "choices": list(exercise.choices),
            "tolerance": exercise.tolerance,
            "mistakes": {mistake.id: listed(mistake.answer) for mistake in exercise.mistakes},
        }
        field = Answer(exercise=exercise.id, data=json.dumps(data))
        texts = {"": exercise.explanation}
        texts |= {mistake.id: mistake.hint for mistake in exercise.mistakes}
        for name, text in texts.items():
            box = AnswerText(mistake=name)
            self.state.nested_parse(StringList([text], exercise.id), self.content_offset, box)
            field += box
        return [field]


class ExerciseList(SphinxDirective):
    """List all exercises here, chapter by chapter."""

    def run(self):
        lines = ["| Chapter | Exercise | Kind | Minutes |", "|:--|:--|:--|--:|"]
        chapter = None
        for name, exercise in EXERCISES.items():
            link = "" if exercise.chapter == chapter else f"[]({exercise.chapter}.ipynb)"
            chapter = exercise.chapter
            kind = KINDS[type(exercise)]
            title = f"[{exercise.title}](#exercise-{name})"
            lines.append(f"| {link} | {title} | {kind} | {exercise.minutes} |")
        table = nodes.container()
        self.state.nested_parse(StringList(lines, "exercises"), self.content_offset, table)
        return table.children


def listed(value):
    return value if isinstance(value, str) else list(value) if isinstance(value, tuple) else [value]


def visit_field(translator, node):
    """Open the element, and before the first one of a page load the script.

    It is not deferred: so a field is there while the browser reads the page, and what follows does
    not move.
    """
    if node is next(iter(node.document.findall(Answer))):
        page = translator.builder.get_target_uri(translator.builder.current_docname)
        script = relative_uri(page, "_static/exercises.js")
        translator.body.append(f'<script src="{script}"></script>\n')
    options = {"data-name": node["exercise"], "data-exercise": node["data"]}
    translator.body.append(translator.starttag(node, "conv-exercise", "", **options))
    translator.body.append("<noscript>This field needs JavaScript.</noscript>\n")


def visit_text(translator, node):
    """Open an element whose content is shown after an answer."""
    options = {"CLASS": "answer-text", "hidden": "", "data-mistake": node["mistake"]}
    translator.body.append(translator.starttag(node, "div", "", **options))


def skip(translator, node):
    """Leave a field out where nobody can type."""
    raise nodes.SkipNode


def setup(app):
    """Add the directive, and the texts."""
    app.connect("source-read", add_help)
    others = {"latex": (skip, None), "text": (skip, None)}
    app.add_node(Answer, html=(visit_field, closing("conv-exercise")), **others)
    app.add_node(AnswerText, html=(visit_text, closing("div")), **others)
    app.add_directive("answer-field", AnswerField)
    app.add_directive("exercise-list", ExerciseList)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def closing(tag):
    """Return a function that closes an element."""
    return lambda translator, node: translator.body.append(f"</{tag}>\n")
