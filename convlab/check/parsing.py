"""Read the numbers of an answer. The pages of the book read them in the same way."""

from __future__ import annotations

import re
from typing import Any

# What may stand around numbers: brackets, separators, and what PyTorch prints before them.
_WORDS = re.compile(r"torch\.Size|tensor|array", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?:/\d+)?", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s,;x×()\[\]]*", re.IGNORECASE)
_MAX_LENGTH = 10_000
_MAX_DIGITS = 300  # more are no float


def parse_numbers(answer: Any, single: bool) -> tuple[float, ...]:
    """Return the numbers of an answer, row by row.

    Parameters
    ----------
    answer : number, str, or nested sequence
        In a str, numbers are decimal or fractions such as 1/9, between brackets, commas, spaces,
        semicolons or ``x``.
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
        if separators := _SEPARATORS.match(text, position):
            position = separators.end()
        if position == len(text):
            break
        match = _NUMBER.match(text, position)
        if match is None:
            raise ValueError(f"Type numbers only: {text[position : position + 20]!r} is not one.")
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
