"""What counts as a whole number, and what as one for height and one for width."""

from __future__ import annotations

from operator import index
from typing import Literal, SupportsIndex

# SupportsIndex is what Python calls whatever can stand for a whole number: int, NumPy's
# integers, a tensor of one integer.
IntOrPair = SupportsIndex | tuple[SupportsIndex, ...] | list[int]
Padding = IntOrPair | Literal["same", "valid"]


def integer(value: SupportsIndex, name: str, minimum: int) -> int:
    """Return `value` as an int of at least `minimum`.

    NumPy integers and integer tensors of one element count as integers; floats (even
    ``2.0``), ``True`` and ``False`` do not, as in PyTorch.

    Parameters
    ----------
    value : int
        The number to check.
    name : str
        What to call it in an error message.
    minimum : int
        The smallest value allowed.

    Raises
    ------
    TypeError
        If `value` is not an integer.
    ValueError
        If it is below `minimum`.

    Examples
    --------
    >>> integer(3, "groups", minimum=1)
    3
    >>> integer(0, "groups", minimum=1)
    Traceback (most recent call last):
    ValueError: groups must be at least 1, got 0
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an int, got the bool {value}")
    try:
        number = index(value)
    except (TypeError, RuntimeError):  # RuntimeError: a tensor whose numbers cannot be read
        raise TypeError(f"{name} must be an int, got {type(value).__name__} {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def pair(value: IntOrPair, name: str, minimum: int) -> tuple[int, int]:
    """Return `value` as a pair ``(height, width)`` of ints of at least `minimum`.

    Parameters
    ----------
    value : int or pair of ints
        One number for both directions, or one for each.
    name : str
        What to call it in an error message.
    minimum : int
        The smallest value allowed in either direction.

    Raises
    ------
    TypeError
        If `value` is neither an int nor a tuple or list of ints.
    ValueError
        If it does not have two entries, or one is below `minimum`.

    Examples
    --------
    >>> pair(3, "kernel_size", minimum=1), pair((2, 3), "kernel_size", minimum=1)
    ((3, 3), (2, 3))
    >>> pair((1, 2, 3), "stride", minimum=1)
    Traceback (most recent call last):
    ValueError: stride must be an int or a pair (height, width), got 3 values: (1, 2, 3)
    """
    if not isinstance(value, (tuple, list)):  # bytes, ranges and the like are no pairs
        try:
            number = integer(value, name, minimum)
        except TypeError:
            raise TypeError(
                f"{name} must be an int or a pair of ints (height, width), "
                f"got {type(value).__name__} {value!r}"
            ) from None
        return number, number
    if len(value) != 2:
        raise ValueError(
            f"{name} must be an int or a pair (height, width), got {len(value)} values: {value!r}"
        )
    height, width = value
    return integer(height, f"{name}[0]", minimum), integer(width, f"{name}[1]", minimum)


def flag(value: bool, name: str) -> bool:
    """Return `value` if it is True or False.

    Parameters
    ----------
    value : bool
        The switch to check.
    name : str
        What to call it in an error message.

    Raises
    ------
    TypeError
        If `value` is anything else, ``0`` and ``1`` and NumPy's bool included, as in
        PyTorch.

    Examples
    --------
    >>> flag(1, "ceil_mode")
    Traceback (most recent call last):
    TypeError: ceil_mode must be True or False, got int 1
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {type(value).__name__} {value!r}")
    return value


def check_groups(in_channels: int, out_channels: int, groups: int) -> tuple[int, int, int]:
    """Refuse a number of groups that does not divide both channel counts.

    Parameters
    ----------
    in_channels, out_channels, groups : int
        Each at least 1.

    Returns
    -------
    tuple of three ints
        The arguments as plain ints, so that no NumPy integer overflows further on.

    Raises
    ------
    TypeError
        If one is not an int.
    ValueError
        If one is below 1, or `groups` leaves a remainder.

    Examples
    --------
    >>> check_groups(12, 6, groups=3)
    (12, 6, 3)
    >>> check_groups(12, 6, groups=4)
    Traceback (most recent call last):
    ValueError: out_channels=6 is not divisible by groups=4: every group takes the same
    number of channels, and 6 / 4 leaves a remainder of 2
    """
    groups = integer(groups, "groups", minimum=1)
    in_channels = integer(in_channels, "in_channels", minimum=1)
    out_channels = integer(out_channels, "out_channels", minimum=1)
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(
                f"{name}={channels} is not divisible by groups={groups}: every group takes "
                f"the same number of channels, and {channels} / {groups} leaves a remainder "
                f"of {channels % groups}"
            )
    return in_channels, out_channels, groups
