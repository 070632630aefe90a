"""Select and summarize the stored measurements of convolutions.

`benchmarks` measures, stores and prints them; the chapters take their numbers from here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from convlab.results import FILES
from convlab.results.store import Result, Row, load


def stored(suite: str) -> Result:
    """Read the stored result of a suite, such as "ladder"; errors are those of `store.load`."""
    return load(FILES / f"{suite}.json")


def select(rows: Iterable[Row], **fields: Any) -> list[Row]:
    """Return the rows whose fields have the given values, in their order.

    Examples
    --------
    >>> rows = select(stored("ladder").rows, environment="natural", threads=1)
    >>> {(row.layer, row.images) for row in rows}
    {('64>64 3x3 @56', 1)}
    """
    return [
        row for row in rows if all(getattr(row, name) == value for name, value in fields.items())
    ]


def fair_ratios(
    rows: Iterable[Row], column: str = "ratio"
) -> dict[tuple[str, int, str], list[float]]:
    """Return the ratios against the faster of PyTorch's two page policies, one per case.

    `column` is "ratio", or "cold_ratio" of calls that follow another contender's. The keys are
    contender, threads and a description of the task. A case that was not measured with both
    policies is left out.
    """
    fair: dict[tuple[str, int, str], list[float]] = {}
    for (contender, threads, task, images, dtype, _), least in _fair(rows, column).items():
        fair.setdefault((contender, threads, describe(task, images, dtype)), []).append(least)
    return fair


def fair_by_layer(
    rows: Iterable[Row], contender: str, column: str = "ratio", threads: int = 1
) -> dict[tuple[str, int, str], float]:
    """Return the ratios of `fair_ratios` for one contender, with the layer that each belongs to.

    The keys are layer, images and task, as in `Row`.
    """
    rows = select(rows, contender=contender, threads=threads)
    fair = _fair(rows, column)
    return {(layer, images, task): ratio for (_, _, task, images, _, layer), ratio in fair.items()}


def ratio_table(lines: Mapping[str, tuple[Result, str]], title: str = "") -> str:
    """Format ratios against the faster PyTorch, one thread: a line per name and batch size.

    Parameters
    ----------
    lines : mapping of str to (Result, str)
        For each name, a result and the contender whose ratios to take.
    title : str
        The head of the first column.
    """
    width = max(map(len, [title, *lines]))
    heads = ("mean", "least", "most", "cold")
    text = [f"{title:{width}}{'N':>4}" + "".join(f"{head:>7}" for head in heads)]
    for name, (result, contender) in lines.items():
        warm, cold = (
            fair_by_layer(result.rows, contender, column) for column in ("ratio", "cold_ratio")
        )
        for images in sorted({images for _, images, _ in warm}):
            ratios, colds = (
                [ratio for case, ratio in fair.items() if case[1] == images]
                for fair in (warm, cold)
            )
            numbers = geometric_mean(ratios), min(ratios), max(ratios), geometric_mean(colds)
            text.append(f"{name:{width}}{images:4}" + "".join(f"{n:7.2f}" for n in numbers))
    return "\n".join(text)


def group_ratios(rows: Iterable[Row]) -> dict[tuple[int, int, str, int], float]:
    """Return how many times less time the grouped layers of the suite "groups" take.

    Measured with one thread, beside the ordinary layer with the same result. The keys are
    channels, groups, memory format ("NCHW" or "channels_last") and images.

    Examples
    --------
    >>> ratios = group_ratios(stored("groups").rows)
    >>> sorted({groups for channels, groups, _, _ in ratios if channels == 64})
    [2, 4, 8, 16, 32, 64]
    """
    formats = {"torch grouped": "NCHW", "torch grouped channels_last": "channels_last"}
    ratios = {}
    for row in select(rows, environment="natural", threads=1):
        if row.contender in formats:
            channels, groups = (int(number) for number in re.findall(r"^\d+|(?<= g)\d+", row.layer))
            ratios[channels, groups, formats[row.contender], row.images] = row.ratio
    return ratios


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean of ratios, where 2 and 1/2 cancel out.

    Examples
    --------
    >>> geometric_mean([0.5, 2.0])
    1.0
    """
    logarithms = [math.log(value) for value in values]
    return math.exp(sum(logarithms) / len(logarithms))


def describe(task: str, images: int, dtype: str) -> str:
    """Describe what a table measures: task, batch size and dtype."""
    words = {"forward": "Output", "gradients": "All three gradients"}.get(task, task)
    return f"{words}, {counted(images, 'image')}, {dtype}"


def counted(number: int, what: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _fair(rows: Iterable[Row], column: str) -> dict[tuple[str, int, str, int, str, str], float]:
    measured: dict[tuple[str, int, str, int, str, str], dict[str, float]] = {}
    for row in rows:
        key = (row.contender, row.threads, row.task, row.images, row.dtype, row.layer)
        measured.setdefault(key, {})[row.environment] = getattr(row, column)
    return {
        key: min(ratios["natural"], ratios["huge pages"])
        for key, ratios in measured.items()
        if {"natural", "huge pages"} <= set(ratios)
    }
