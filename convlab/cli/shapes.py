"""``convlab shapes``: derive an output size step by step, without NumPy and PyTorch.

Every number comes from `convlab.shapes`; this module formats them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial
from typing import cast

from convlab._validate import Padding
from convlab.cli.errors import CommandError
from convlab.shapes import (
    ReceptiveField,
    conv2d_output_size,
    conv2d_padding,
    conv2d_receptive_field,
    dilated_kernel_size,
    pool2d_output_size,
)

HELP = "derive the output size of a convolution or pooling step by step"
EXAMPLES = """examples:
  convlab shapes 224 --kernel 7 --stride 2 --padding 3
  convlab shapes 224x320 --kernel 3x5 --padding same
  convlab shapes 112 --pool --kernel 3 --stride 2 --ceil-mode"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("size", type=parse_pair, help="height x width of the input, or one number")
    add_argument = partial(parser.add_argument, metavar="HxW")
    add_argument("--kernel", type=parse_pair, required=True, help="kernel size")
    add_argument("--stride", type=parse_pair, help="default: 1, or the kernel size for pooling")
    add_argument(
        "--padding", type=parse_padding, default=(0, 0), help="a size, same or valid; default: 0"
    )
    add_argument("--dilation", type=parse_pair, default=(1, 1), help="default: 1")
    parser.add_argument("--pool", action="store_true", help="pooling instead of a convolution")
    parser.add_argument(
        "--ceil-mode", action="store_true", help="round the output size up; implies --pool"
    )


@dataclass(frozen=True)
class _Direction:
    """Arguments and result for the height or the width."""

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
    """Return the derivation as text.

    Raises CommandError if an argument is out of range, or the kernel does not fit into the input.
    """
    is_pooling = arguments.pool or arguments.ceil_mode
    stride = arguments.stride or (arguments.kernel if is_pooling else (1, 1))
    try:
        directions = _directions(arguments, stride, is_pooling)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error)) from error
    padding = arguments.padding
    lines = [
        f"input {format_size(arguments.size)}, kernel {format_size(arguments.kernel)}, stride "
        f"{_short(stride)}, padding {padding if isinstance(padding, str) else _short(padding)}, "
        f"dilation {_short(arguments.dilation)}" + (", pooling" if is_pooling else ""),
    ]
    rows, columns = directions
    if rows == columns:
        lines += ["", "height and width", *_derivation(rows, arguments.ceil_mode)]
    else:
        lines += ["", "height", *_derivation(rows, arguments.ceil_mode)]
        lines += ["", "width", *_derivation(columns, arguments.ceil_mode)]
    return "\n".join([*lines, "", f"output {format_size((rows.output, columns.output))}"])


def _short(numbers: tuple[int, int]) -> str:
    return str(numbers[0]) if numbers[0] == numbers[1] else format_size(numbers)


def _directions(
    arguments: argparse.Namespace, stride: tuple[int, int], is_pooling: bool
) -> list[_Direction]:
    size, kernel, dilation = arguments.size, arguments.kernel, arguments.dilation
    padding: Padding = arguments.padding
    if is_pooling:
        if padding == "same":
            raise ValueError("--padding same is for convolutions: pooling takes numbers")
        amounts = (0, 0) if padding == "valid" else cast(tuple[int, int], padding)
        outputs = pool2d_output_size(size, kernel, stride, amounts, dilation, arguments.ceil_mode)
    else:
        outputs = conv2d_output_size(size, kernel, stride, padding, dilation)
    left, right, top, bottom = conv2d_padding(padding, kernel, stride, dilation)
    columns = zip(
        size,
        kernel,
        stride,
        (top, left),
        (bottom, right),
        dilation,
        dilated_kernel_size(kernel, dilation),
        outputs,
        conv2d_receptive_field(kernel, stride, padding, dilation),
        strict=True,
    )
    return [_Direction(*numbers) for numbers in columns]


def _derivation(axis: _Direction, round_up: bool) -> list[str]:
    padded = axis.size + axis.before + axis.after
    travel = padded - axis.extent
    steps, rest = divmod(travel, axis.stride)
    rounded = steps + (1 if round_up and rest else 0)
    first, last = axis.field.cells(0), axis.field.cells(axis.output - 1)
    entries = [
        ("the kernel spans", f"{axis.dilation} * ({axis.kernel} - 1) + 1 = {axis.extent}"),
        (
            "with its padding, the input has",
            f"{axis.size} + {axis.before} + {axis.after} = {padded}",
        ),
        ("the window can move by", f"{padded} - {axis.extent} = {travel}"),
        (
            f"in steps, rounded {'up' if round_up else 'down'}",
            f"{travel} / {axis.stride} = {rounded}" + (f" (remainder {rest})" if rest else ""),
        ),
        ("and one for where it starts", f"{rounded} + 1 = {rounded + 1}"),
    ]
    if axis.output != rounded + 1:
        entries.append(("less a window behind the input", f"{rounded + 1} - 1 = {axis.output}"))
    end = axis.size + axis.after
    dropped = max(0, end - last.stop)
    pixels = min(axis.size, max(0, axis.size - last.stop))
    entries += [
        ("never looked at, at the end", _border(dropped, pixels)),
        ("output 0 reads the cells", _cells(first)),
        (f"output {axis.output - 1} reads the cells", _cells(last)),
        ("output i reads the cells", _general(axis.field)),
    ]
    if last.stop > end:
        entries.insert(-3, ("the last window reaches over by", str(last.stop - end)))
    width = max(len(label) for label, _ in entries)
    return [f"  {label.ljust(width)}  {numbers}" for label, numbers in entries]


def _border(dropped: int, pixels: int) -> str:
    if not dropped:
        return "nothing"
    parts = [(pixels, "of the image"), (dropped - pixels, "of the padding")]
    return " and ".join(f"{count} {where}" for count, where in parts if count)


def _cells(cells: range) -> str:
    return f"{cells[0]} to {cells[-1]}" if len(cells) > 1 else str(cells[0])


def _general(field: ReceptiveField) -> str:
    first, last = field.start, field.start + field.size - 1
    shift = "i" if field.jump == 1 else f"{field.jump} * i"
    ends = [
        f"{shift} {'-' if end < 0 else '+'} {abs(end)}" if end else shift for end in (first, last)
    ]
    return ends[0] if first == last else f"{ends[0]} to {ends[1]}"


def parse_sizes(text: str) -> tuple[int, ...]:
    """Parse integers separated by ``x``; raise argparse.ArgumentTypeError for any other text.

    Examples
    --------
    >>> parse_sizes("3x224x224")
    (3, 224, 224)
    """
    try:
        return tuple(int(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected whole numbers with an x between them, such as 3 or 3x5, got {text!r}"
        ) from None


def parse_pair(text: str) -> tuple[int, int]:
    """Parse height x width, or one number for both; raise the error of `parse_sizes`.

    Examples
    --------
    >>> parse_pair("3"), parse_pair("3x5")
    ((3, 3), (3, 5))
    """
    numbers = parse_sizes(text)
    if len(numbers) > 2:
        raise argparse.ArgumentTypeError(
            f"expected one number, or height x width, got {len(numbers)} numbers: {text!r}"
        )
    return numbers[0], numbers[-1]


def parse_padding(text: str) -> tuple[int, int] | str:
    """Parse a padding: ``same``, ``valid``, or as `parse_pair` does.

    Examples
    --------
    >>> parse_padding("1x2"), parse_padding("same")
    ((1, 2), 'same')
    """
    if text in ("same", "valid"):
        return text
    try:
        return parse_pair(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"expected 'same', 'valid', one number, or height x width, got {text!r}"
        ) from None


def format_size(numbers: tuple[int, ...]) -> str:
    """Format sizes as they are written in an argument.

    Examples
    --------
    >>> format_size((224, 320))
    '224x320'
    """
    return "x".join(str(number) for number in numbers)
