"""Mistakes of programming, which can be made in the answer to any exercise."""

from __future__ import annotations

import ast
import dis
import inspect
import textwrap
from collections.abc import Sequence
from numbers import Integral
from typing import Any

from convlab.check.exercise import Mistake
from convlab.check.running import Outcome

_CONSTANTS = {"LOAD_CONST", "RETURN_CONST"}
_DOING_NOTHING = {"RESUME", "RETURN_VALUE", "NOP", "POP_TOP"}


def does_nothing(function: Any) -> bool:
    """Return whether the body of a function is ``...`` or ``pass``.

    Examples
    --------
    >>> does_nothing(lambda: ...), does_nothing(lambda: print())
    (True, False)
    """
    code = getattr(function, "__code__", None)
    return code is not None and all(
        instruction.opname in _DOING_NOTHING
        or (instruction.opname in _CONSTANTS and instruction.argval in (None, ...))
        for instruction in dis.get_instructions(code)
    )


def generic_mistake(
    function: Any, outcomes: Sequence[Outcome], right: Sequence[Outcome]
) -> Mistake | None:
    """Return the mistake of programming that a wrong answer shows, if there is one.

    Parameters
    ----------
    function : callable
        The answer.
    outcomes, right : sequences of Outcome
        What it gave in each case, and what is right.
    """
    if all(outcome.value is None and outcome.error is None for outcome in outcomes):
        if any(outcome.printed for outcome in outcomes):
            hint = "`print` shows a value on the screen. `return` gives it to the caller."
            return Mistake("printed_instead_of_returned", hint, function)
        hint = "The function computes, but gives nothing to its caller: is there a `return`?"
        return Mistake("return_forgotten", hint, function)
    if _returns_in_first_turn(function):
        hint = (
            "A `return` stands inside of a loop, so that the function ends in its first turn. "
            "How far must it be indented?"
        )
        return Mistake("return_inside_of_a_loop", hint, function)
    if all(
        _is_float_for_int(mine.value, theirs.value)
        for mine, theirs in zip(outcomes, right, strict=False)
    ):
        hint = "The numbers are right, but they count something: return an int, not a float."
        return Mistake("float_returned", hint, function)
    return None


def _returns_in_first_turn(function: Any) -> bool:
    """Return whether the last statement of a loop is a ``return`` without a condition."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # its source is not known
        return False
    return any(
        isinstance(node, ast.For | ast.While) and isinstance(node.body[-1], ast.Return)
        for node in ast.walk(tree)
    )


def _is_float_for_int(given: Any, right: Any) -> bool:
    if isinstance(right, tuple | list):
        return (
            isinstance(given, tuple | list)
            and len(given) == len(right)
            and all(map(_is_float_for_int, given, right))
        )
    is_number = isinstance(right, Integral) and not isinstance(right, bool)
    return is_number and isinstance(given, int | float) and given == right
