"""``convlab check``: check the answers in files and notebooks, list exercises, show hints."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from convlab._files import expand_home
from convlab.cli.errors import CheckFailed, CommandError, printable
from convlab.cli.progress import Progress, forget_progress, state_file

HELP = "check your answers to the exercises of the book"
EXAMPLES = """examples:
  convlab check --list
  convlab check answers.py
  convlab check shapes.ipynb --watch
  convlab check --hint output_size

Every function and value in a file that has the name of an exercise is checked. For --list, what was
solved is kept in a file of the user; --reset removes it.

exit status: 0 if all answers are right, 1 if one is not, 2 if an argument is wrong."""

_INTERVAL = 0.5  # seconds between two looks at the files
_SECONDS = 10.0  # for the definitions in a file, and for each answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("files", nargs="*", metavar="file", help="a .py file or an .ipynb notebook")
    parser.add_argument("--watch", action="store_true", help="check again whenever a file changes")
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument("--list", action="store_true", help="list the exercises")
    actions.add_argument("--hint", metavar="ID", help="show the next hint for an exercise")
    actions.add_argument("--reset", action="store_true", help="forget what was solved")


def run(arguments: argparse.Namespace) -> str:
    """Return the results, the list of exercises, or a hint.

    Raises CheckFailed with the results if an answer is not right, and CommandError if an argument
    or a file is wrong.
    """
    has_action = arguments.list or arguments.hint is not None or arguments.reset
    if bool(arguments.files) == has_action or (arguments.watch and has_action):
        raise CommandError("name the files with your answers, or one of --list, --hint, --reset")
    paths = [expand_home(name) for name in arguments.files]
    if arguments.watch:
        _watch(paths)
    if paths:
        text, all_right = _check_files(paths)
        if not all_right:
            raise CheckFailed(text)
        return text
    if arguments.list:
        return _list_exercises()
    return _next_hint(arguments.hint) if arguments.hint is not None else _reset()


def _check_files(paths: Sequence[Path]) -> tuple[str, bool]:
    """Return the results of all answers as a text, and whether all are right."""
    from convlab.check import EXERCISES, check
    from convlab.check.answers import read_answers

    progress = Progress.load()
    texts, solved, wrong, blank = [], list[str](), 0, 0
    for path in paths:
        try:
            answers = read_answers(path, EXERCISES, _SECONDS)
        except (OSError, ValueError) as error:
            raise CommandError(_reason(error, path)) from error
        for name, problem in answers.problems.items():
            texts.append(f"not yet: {name}\n  Its definition raised {problem}")
            wrong += 1
        for name in (name for name in EXERCISES if name in answers.found):
            result = check(name, answers.found[name], seconds=_SECONDS)
            blank += result.is_blank
            wrong += not (result.passed or result.is_blank)
            solved += [name] if result.passed else []
            texts += [] if result.is_blank else [str(result)]
    if not texts and not blank:
        names = ", ".join(map(str, paths))
        raise CommandError(f"there is no answer in {names}: it needs the name of an exercise")
    progress.done += [name for name in solved if name not in progress.done]
    texts.append(f"{len(solved)} right, {wrong} not yet, {blank} not begun")
    return "\n".join([*texts, *_store(progress)]), wrong == blank == 0


def _reason(error: OSError | ValueError, path: Path) -> str:
    return f"{path}: {error.strerror}" if isinstance(error, OSError) else str(error)


def _store(progress: Progress) -> list[str]:
    """Keep the progress; return a line if that is impossible."""
    try:
        progress.store()
    except OSError as error:
        return [f"The progress could not be kept in {state_file()}: {error.strerror or error}"]
    return []


def _watch(paths: Sequence[Path]) -> NoReturn:
    """Check the files whenever one of them has changed, until Ctrl-C."""
    last = None
    while True:
        state = [_modified(path) for path in paths]
        if state != last:
            last = state
            try:
                text, _ = _check_files(paths)
            except CommandError as error:  # such as a file that is half written
                text = str(error)
            now = time.strftime("%H:%M:%S")
            sys.stdout.write(f"{printable(text)}\n[{now}] waiting for a change; Ctrl-C ends it\n\n")
            sys.stdout.flush()
        time.sleep(_INTERVAL)


def _modified(path: Path) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _list_exercises() -> str:
    """Return a table: what was solved, id, minutes, title, by chapter."""
    from convlab.check import EXERCISES

    done = [name for name in Progress.load().done if name in EXERCISES]
    width = max(map(len, EXERCISES))
    lines, chapter = list[str](), ""
    for name, exercise in EXERCISES.items():
        if exercise.chapter != chapter:
            chapter = exercise.chapter
            lines.append(f"{chapter}:")
        mark = "done" if name in done else "    "
        lines.append(f"  {mark}  {name:{width}}  {exercise.minutes:2} min  {exercise.title}")
    return "\n".join([*lines, f"{len(done)} of {len(EXERCISES)} done"])


def _next_hint(name: str) -> str:
    """Return the hints for an exercise that were shown before, and the next one."""
    from convlab.check import EXERCISES

    if name not in EXERCISES:
        raise CommandError(f"there is no exercise {name!r}: convlab check --list shows them")
    hints, progress = EXERCISES[name].hints, Progress.load()
    shown = min(progress.hints.get(name, 0) + 1, len(hints))
    progress.hints[name] = shown
    lines = [f"{i}. {hint}" for i, hint in enumerate(hints[:shown], start=1)]
    left = len(hints) - shown
    lines.append(f"{left} more: ask again" if left else "There are no more hints.")
    return "\n".join([*lines, *_store(progress)])


def _reset() -> str:
    try:
        forget_progress()
    except OSError as error:
        raise CommandError(f"{state_file()}: {error.strerror}", code=1) from error
    return "What was solved is forgotten."
