"""Checks of arguments that need no arrays: integers, pairs, flags, groups, channels.

Each check raises ``TypeError`` for a wrong type and ``ValueError`` for a wrong number, with the
name of the argument (`name`) and the numbers in the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Literal, SupportsIndex

# SupportsIndex: int, the integers of NumPy, a tensor of one integer.
IntOrPair = SupportsIndex | tuple[SupportsIndex, ...] | list[int]
Padding = IntOrPair | Literal["same", "valid"]


def integer(value: SupportsIndex, name: str, minimum: int) -> int:
    """Return `value` as an int of at least `minimum`.

    NumPy integers and integer tensors of one element count as integers; floats (even ``2.0``),
    ``True`` and ``False`` do not, as in PyTorch.

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
    except (TypeError, RuntimeError):  # RuntimeError: a tensor whose value cannot be read
        raise TypeError(f"{name} must be an int, got {type(value).__name__} {value!r}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def pair(value: IntOrPair, name: str, minimum: int) -> tuple[int, int]:
    """Return an int or a pair as ``(height, width)``, two ints of at least `minimum`.

    Examples
    --------
    >>> pair(3, "kernel_size", minimum=1), pair((2, 3), "kernel_size", minimum=1)
    ((3, 3), (2, 3))
    >>> pair((1, 2, 3), "stride", minimum=1)
    Traceback (most recent call last):
    ValueError: stride must be an int or a pair (height, width), got 3 values: (1, 2, 3)
    """
    if not isinstance(value, (tuple, list)):  # bytes, ranges and the like are not pairs
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
    """Return `value`, a bool; ``0``, ``1`` and NumPy's bool are rejected, as in PyTorch.

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
    """Check that `groups` divides both channel counts, and return all three as plain ints.

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


def check_weight_shape(weight_shape: Sequence[int], transposed: bool = False) -> None:
    """Check that a weight has four axes and no size of 0.

    Examples
    --------
    >>> check_weight_shape((8, 3, 0, 3))
    Traceback (most recent call last):
    ValueError: weight must be (out_channels, in_channels / groups, kH, kW) with no size of 0,
    got shape (8, 3, 0, 3)
    """
    if len(weight_shape) != 4 or 0 in weight_shape:
        raise ValueError(
            f"weight must be {_weight_layout(transposed)} with no size of 0, "
            f"got shape {tuple(weight_shape)}"
        )


def check_channels(
    input_shape: Sequence[int],
    weight_shape: Sequence[int],
    bias_shape: Sequence[int] | None,
    groups: SupportsIndex,
    transposed: bool = False,
) -> int:
    """Check that the channels of input, weight and bias match, and return `groups` as an int.

    The input is (N, C, H, W) or (C, H, W); the weight (O, C / groups, kH, kW), or if `transposed`
    (C, O / groups, kH, kW); the bias (O,) or None.

    Examples
    --------
    >>> check_channels((1, 4, 8, 8), (6, 3, 3, 3), None, groups=2)
    Traceback (most recent call last):
    ValueError: input of shape (1, 4, 8, 8) has 4 channels, but weight of shape (6, 3, 3, 3)
    with groups=2 expects 3 x 2 = 6
    """
    groups = integer(groups, "groups", minimum=1)
    channels = input_shape[-3]
    out_channels = weight_shape[1] * groups if transposed else weight_shape[0]
    check_groups(channels or 1, out_channels, groups)  # no channels: reported below
    expected = weight_shape[0] if transposed else weight_shape[1] * groups
    if channels != expected:
        if transposed:
            numbers = (
                f"{expected}; the weight of a transposed convolution is {_weight_layout(True)}"
            )
        else:
            numbers = f"{weight_shape[1]} x {groups} = {expected}"
        raise ValueError(
            f"input of shape {tuple(input_shape)} has {channels} channels, but weight of shape "
            f"{tuple(weight_shape)} with groups={groups} expects {numbers}"
        )
    if bias_shape is not None and tuple(bias_shape) != (out_channels,):
        raise ValueError(
            f"bias must hold one number per output channel, shape ({out_channels},) for weight of "
            f"shape {tuple(weight_shape)}{f' and groups={groups}' if transposed else ''}; "
            f"got shape {tuple(bias_shape)}"
        )
    return groups


def _weight_layout(transposed: bool) -> str:
    first, second = ("in", "out") if transposed else ("out", "in")
    return f"({first}_channels, {second}_channels / groups, kH, kW)"
