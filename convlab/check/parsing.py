"""Read the numbers of an answer. The pages of the book read them in the same way."""

from __future__ import annotations

import ast
import re
from typing import Any

# What may stand around numbers: brackets, separators, and what PyTorch prints before them.
_WORDS = re.compile(r"torch\.Size|tensor|array", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?:/\d+)?", re.IGNORECASE)
_SEPARATORS = re.compile(
    r"(?:[\s,;x×()\[\]]|\b(?:and|to|pixels?|cells?|rows?|columns?)\b)*", re.IGNORECASE
)
_MAX_LENGTH = 10_000
_MAX_DIGITS = 300  # more are no float


def parse_numbers(answer: Any, single: bool) -> tuple[float, ...]:
    """Return the numbers of an answer, row by row.

    Parameters
    ----------
    answer : number, str, or nested sequence
        In a str, numbers are decimal or fractions such as 1/9, between brackets, commas, spaces,
        semicolons, ``x``, "and", "to", and units such as "pixels".
    single : bool
        Whether one number is expected, so that commas separate thousands.

    Returns
    -------
    tuple of numbers

    Raises
    ------
    ValueError
        If something else stands in the answer.

    Examples
    --------
    >>> parse_numbers("torch.Size([1, 64, 112, 112])", single=False)
    (1, 64, 112, 112)
    >>> parse_numbers("9,408", single=True), parse_numbers("-1/4", single=True)
    ((9408,), (-0.25,))
    """
    if hasattr(answer, "tolist"):  # an array or a tensor
        answer = answer.tolist()
    if isinstance(answer, tuple | list):
        return tuple(number for part in answer for number in parse_numbers(part, single))
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        return (answer,)
    if not isinstance(answer, str):
        raise ValueError(f"The answer must be numbers, got {type(answer).__name__}.")
    if len(answer) > _MAX_LENGTH:
        raise ValueError(f"The answer has {len(answer):,} characters: that is too long.")
    return _parse_text(answer, single)


def _parse_text(answer: str, single: bool) -> tuple[float, ...]:
    text = _WORDS.sub(" ", answer.replace("\N{MINUS SIGN}", "-"))
    if single:
        text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    numbers: list[float] = []
    position = 0
    while position < len(text):
        separators = _SEPARATORS.match(text, position)
        start = separators.end() if separators else position
        if start == len(text):
            break
        match = _NUMBER.match(text, start)
        if match is None or (numbers and start == position):
            word = re.split(r"[\s,;()\[\]]", text[start:], maxsplit=1)[0][:20]
            raise ValueError(f"Type numbers only, with commas: {word!r} is not one.")
        numbers.append(_to_number(match[0]))
        position = match.end()
    if not numbers:
        raise ValueError("The answer contains no number.")
    return tuple(numbers)


def _to_number(text: str) -> float:
    numerator, _, denominator = text.partition("/")
    if denominator:
        divisor = float(denominator)
        if divisor == 0:
            raise ValueError(f"{text} divides by 0.")
        return float(numerator) / divisor
    is_whole = not re.search(r"[.eE]", text)
    return int(text) if is_whole and len(text) <= _MAX_DIGITS else float(text)


def parse_like(answer: Any, example: Any) -> Any:
    """Return an answer as numbers in the form of an example.

    Parameters
    ----------
    answer : number, str, or nested sequence
        The answer; a str is read as Python or as `parse_numbers` reads it.
    example : number, tuple or list
        A tuple stands for one of its length, and a list for one of any length.

    Raises
    ------
    ValueError
        If the answer has another form; the message names both.

    Examples
    --------
    >>> parse_like("8 x 4", (1, 2)), parse_like([1.0, 2.5], [3, 4]), parse_like(7.0, 3)
    ((8, 4), [1, 2.5], 7)
    >>> parse_like(7, (1, 2))
    Traceback (most recent call last):
    ...
    ValueError: Give a tuple of 2 numbers; yours is 7.
    """
    value = answer.tolist() if hasattr(answer, "tolist") else answer
    if isinstance(value, str):
        value = _read(value, example)
    if not _has_form(value, example):
        raise ValueError(f"Give {_form(example)}; yours is {answer!r:.100}.")
    return _in_form(value, example)


def _read(text: str, example: Any) -> Any:
    try:
        return ast.literal_eval(text[:_MAX_LENGTH])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        numbers = parse_numbers(text, single=not isinstance(example, tuple | list))
        return numbers if isinstance(example, tuple | list) else numbers[0]


def _has_form(value: Any, example: Any) -> bool:
    if not isinstance(example, tuple | list):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if not isinstance(value, tuple | list):
        return False
    if isinstance(example, tuple) and len(value) != len(example):
        return False
    return all(_has_form(_plain(entry), example[0]) for entry in value)


def _in_form(value: Any, example: Any) -> Any:
    value = _plain(value)
    if isinstance(example, tuple | list):
        return type(example)(_in_form(entry, example[0]) for entry in value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _form(example: Any, plural: bool = False) -> str:
    if not isinstance(example, tuple | list):
        return "numbers" if plural else "a number"
    kind = type(example).__name__
    count = f"{len(example)} " if isinstance(example, tuple) else ""
    return f"{kind + 's' if plural else 'a ' + kind} of {count}{_form(example[0], plural=True)}"
