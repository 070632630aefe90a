"""Find the answers in a file or a notebook."""

from __future__ import annotations

import ast
import dis
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from convlab.check.running import TooSlow, run_calls

_MAGIC = re.compile(r"\s*[%!]|.*\?\s*$")


class Answers(NamedTuple):
    """The answers in a file by id, and the problems of definitions that could not be read."""

    found: dict[str, Any]
    problems: dict[str, str]


def read_answers(path: Path, ids: Collection[str], seconds: float) -> Answers:
    r"""Return the functions and values in a file that have the names of exercises.

    Only the definitions of these names run, and the imports and definitions that they need. In a
    notebook, the last definition counts, as in a file.

    Parameters
    ----------
    path : Path
        A ``.py`` file or an ``.ipynb`` notebook.
    ids : collection of str
        Names of exercises.
    seconds : float
        Time for all definitions together.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not Python or not a notebook; the message names the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "answers.py")
    ...     _ = path.write_text("count_places = 3 + 4\nprint('not run')")
    ...     read_answers(path, {"count_places"}, seconds=10).found
    {'count_places': 7}
    """
    statements = list(_read_statements(path))
    needed = _needed(statements, ids)
    module = ModuleType("answers")
    module.__file__ = str(path)
    problems: dict[str, str] = {}

    def run() -> None:
        for node in needed:
            try:
                code = compile(ast.Module([node], []), str(path), "exec")
                exec(code, vars(module))  # the learner's own file
            except Exception as error:
                for name in _defined(node) & set(ids):
                    problems[name] = f"{type(error).__name__}: {error}"

    outcome = run_calls(run, [()], seconds)[0]
    if isinstance(outcome.error, TooSlow):
        raise ValueError(f"{path} took more than {seconds:g} s: is there a loop without an end?")
    found = {name: value for name, value in vars(module).items() if name in ids}
    return Answers(found, {name: text for name, text in problems.items() if name not in found})


def _read_statements(path: Path) -> Iterator[ast.stmt]:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if path.suffix != ".ipynb":
        yield from _parse(text, str(path))
        return
    try:
        cells = [
            "".join(cell["source"]) if cell["cell_type"] == "code" else ""
            for cell in json.loads(text)["cells"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a notebook: {type(error).__name__}: {error}") from error
    for number, source in enumerate(cells, start=1):
        if not source.lstrip().startswith("%%"):  # a cell in another language
            lines = ["" if _MAGIC.match(line) else line for line in source.splitlines()]
            yield from _parse("\n".join(lines), f"{path}, cell {number}")


def _parse(source: str, where: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError as error:
        raise ValueError(f"{where}, line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, too many brackets
        raise ValueError(f"{where} cannot be read as Python: {error}") from error


def _needed(statements: list[ast.stmt], ids: Collection[str]) -> list[ast.stmt]:
    """Return the statements that define the names, and those that these need, in their order."""
    # An earlier definition is that of the chapter, or an earlier attempt.
    last = {name: index for index, node in enumerate(statements) for name in _defined(node)}
    chosen = {last[name] for name in ids if name in last}
    wanted = {name for index in chosen for name in _read_names(statements[index])} - set(ids)
    grew = True
    while grew:
        grew = False
        for index, node in enumerate(statements):
            if index not in chosen and not isinstance(node, ast.Expr) and _defined(node) & wanted:
                chosen.add(index)
                wanted |= _read_names(node) - set(ids)
                grew = True
    # `from x import *` may define any name.
    stars = {i for i, node in enumerate(statements) if _is_star(node)} if chosen else set()
    return [statements[index] for index in sorted(chosen | stars)]


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)


def _read_names(node: ast.stmt) -> set[str]:
    """Return the names of the module that a statement reads, in its functions too."""
    try:
        codes = [compile(ast.Module([node], []), "", "exec")]
    except SyntaxError:  # such as a `return` outside of a function
        return set()
    names = set[str]()
    while codes:
        code = codes.pop()
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        names |= {
            instruction.argval
            for instruction in dis.get_instructions(code)
            if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME"}
        }
    return names


def _defined(node: ast.stmt) -> set[str]:
    """Return the names that a statement defines at the top level."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    stores = (ast.Store, ast.Del)
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, stores)}
