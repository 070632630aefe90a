"""Sizes as people type them: ``224``, ``224x320``, ``3x224x224``."""

from __future__ import annotations

import argparse


def sizes(text: str) -> tuple[int, ...]:
    """Read whole numbers with an ``x`` between them.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is something else.

    Examples
    --------
    >>> sizes("3x224x224")
    (3, 224, 224)
    """
    try:
        return tuple(int(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected whole numbers with an x between them, such as 3 or 3x5, got {text!r}"
        ) from None


def pair(text: str) -> tuple[int, int]:
    """Read one number for both directions, or height x width.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is something else.

    Examples
    --------
    >>> pair("3"), pair("3x5")
    ((3, 3), (3, 5))
    """
    numbers = sizes(text)
    if len(numbers) > 2:
        raise argparse.ArgumentTypeError(
            f"expected one number, or height x width, got {len(numbers)} numbers: {text!r}"
        )
    return numbers[0], numbers[-1]


def padding(text: str) -> tuple[int, int] | str:
    """Read a padding: numbers, ``same`` or ``valid``.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is something else.

    Examples
    --------
    >>> padding("1x2"), padding("same")
    ((1, 2), 'same')
    """
    if text in ("same", "valid"):
        return text
    try:
        return pair(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"expected 'same', 'valid', one number, or height x width, got {text!r}"
        ) from None


def written(numbers: tuple[int, ...]) -> str:
    """Write sizes as they are typed.

    Examples
    --------
    >>> written((224, 320))
    '224x320'
    """
    return "x".join(str(number) for number in numbers)
