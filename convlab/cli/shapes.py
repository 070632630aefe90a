"""``convlab shapes``: the size of an output, derived step by step. Needs neither PyTorch nor NumPy.

Every number comes from `convlab.shapes`; this file only lays them out.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, cast

from convlab._validate import Padding
from convlab.cli.errors import CommandError
from convlab.cli.sizes import padding, pair, written
from convlab.shapes import (
    ReceptiveField,
    conv2d_output_size,
    conv2d_padding,
    conv2d_receptive_field,
    dilated_kernel_size,
    pool2d_output_size,
)

EXAMPLES = """examples:
  convlab shapes 224 --kernel 7 --stride 2 --padding 3
  convlab shapes 224x320 --kernel 3x5 --padding same
  convlab shapes 112 --pool --kernel 3 --stride 2 --ceil-mode"""


def add(commands: Any) -> None:
    """Declare the command and its arguments."""
    parser = commands.add_parser(
        "shapes",
        help="the size of the output of a convolution or pooling, step by step",
        description="Derive the size of the output of a convolution or pooling, step by step.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("size", type=pair, help="height x width of the input, or one number")
    parser.add_argument("--kernel", type=pair, required=True, help="rows x columns of the kernel")
    parser.add_argument("--stride", type=pair, help="default 1, for a pooling the kernel")
    parser.add_argument("--padding", type=padding, default=(0, 0), help="number, same or valid")
    parser.add_argument("--dilation", type=pair, default=(1, 1), help="default 1")
    parser.add_argument("--pool", action="store_true", help="follow the rules of a pooling")
    parser.add_argument("--ceil-mode", action="store_true", help="round up; implies --pool")
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class _Direction:
    """The numbers of one direction, and what came out."""

    size: int
    kernel: int
    stride: int
    before: int
    after: int
    dilation: int
    extent: int
    output: int
    field: ReceptiveField


def run(arguments: argparse.Namespace) -> str:
    """Return the derivation.

    Parameters
    ----------
    arguments : argparse.Namespace
        What `add` declared.

    Raises
    ------
    CommandError
        If the numbers do not fit together.
    """
    pooled = arguments.pool or arguments.ceil_mode
    stride = arguments.stride or (arguments.kernel if pooled else (1, 1))
    try:
        directions = _directions(arguments, stride, pooled)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error)) from error
    given = arguments.padding
    lines = [
        f"input {written(arguments.size)}, kernel {written(arguments.kernel)}, stride "
        f"{_short(stride)}, padding {given if isinstance(given, str) else _short(given)}, "
        f"dilation {_short(arguments.dilation)}" + (", pooling" if pooled else ""),
    ]
    rows, columns = directions
    if rows == columns:
        lines += ["", "height and width", *_derivation(rows, arguments.ceil_mode)]
    else:
        lines += ["", "height", *_derivation(rows, arguments.ceil_mode)]
        lines += ["", "width", *_derivation(columns, arguments.ceil_mode)]
    return "\n".join([*lines, "", f"output {written((rows.output, columns.output))}"])


def _short(numbers: tuple[int, int]) -> str:
    return str(numbers[0]) if numbers[0] == numbers[1] else written(numbers)


def _directions(
    arguments: argparse.Namespace, stride: tuple[int, int], pooled: bool
) -> list[_Direction]:
    size, kernel, dilation = arguments.size, arguments.kernel, arguments.dilation
    given: Padding = arguments.padding
    if pooled:
        if given == "same":
            raise ValueError("--padding same is for convolutions: a pooling takes numbers")
        numbers = (0, 0) if given == "valid" else cast(tuple[int, int], given)
        outputs = pool2d_output_size(size, kernel, stride, numbers, dilation, arguments.ceil_mode)
    else:
        outputs = conv2d_output_size(size, kernel, stride, given, dilation)
    left, right, top, bottom = conv2d_padding(given, kernel, stride, dilation)
    columns = zip(
        size,
        kernel,
        stride,
        (top, left),
        (bottom, right),
        dilation,
        dilated_kernel_size(kernel, dilation),
        outputs,
        conv2d_receptive_field(kernel, stride, given, dilation),
        strict=True,
    )
    return [_Direction(*numbers) for numbers in columns]


def _derivation(one: _Direction, round_up: bool) -> list[str]:
    padded = one.size + one.before + one.after
    room = padded - one.extent
    steps, rest = divmod(room, one.stride)
    rounded = steps + (1 if round_up and rest else 0)
    first, last = one.field.cells(0), one.field.cells(one.output - 1)
    entries = [
        ("the kernel spans", f"{one.dilation} * ({one.kernel} - 1) + 1 = {one.extent}"),
        ("with its padding, the input has", f"{one.size} + {one.before} + {one.after} = {padded}"),
        ("the window can move by", f"{padded} - {one.extent} = {room}"),
        (
            f"in steps, rounded {'up' if round_up else 'down'}",
            f"{room} / {one.stride} = {rounded}" + (f" (remainder {rest})" if rest else ""),
        ),
        ("and one for where it starts", f"{rounded} + 1 = {rounded + 1}"),
    ]
    if one.output != rounded + 1:
        entries.append(("less a window behind the input", f"{rounded + 1} - 1 = {one.output}"))
    reach = one.size + one.after
    dropped = max(0, reach - last.stop)
    real = min(one.size, max(0, one.size - last.stop))
    entries += [
        ("never looked at, at the end", _border(dropped, real)),
        ("output 0 reads the cells", _cells(first)),
        (f"output {one.output - 1} reads the cells", _cells(last)),
        ("output i reads the cells", _general(one.field)),
    ]
    if last.stop > reach:
        entries.insert(-3, ("the last window reaches over by", str(last.stop - reach)))
    width = max(len(words) for words, _ in entries)
    return [f"  {words.ljust(width)}  {numbers}" for words, numbers in entries]


def _border(dropped: int, real: int) -> str:
    if not dropped:
        return "nothing"
    parts = [(real, "of the image"), (dropped - real, "of the padding")]
    return " and ".join(f"{count} {where}" for count, where in parts if count)


def _cells(cells: range) -> str:
    return f"{cells[0]} to {cells[-1]}" if len(cells) > 1 else str(cells[0])


def _general(field: ReceptiveField) -> str:
    first, last = field.start, field.start + field.size - 1
    moved = "i" if field.jump == 1 else f"{field.jump} * i"
    ends = [
        f"{moved} {'-' if end < 0 else '+'} {abs(end)}" if end else moved for end in (first, last)
    ]
    return ends[0] if first == last else f"{ends[0]} to {ends[1]}"
