"""Print tables of stored results: ``python -m benchmarks.report [file ...]``."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks.store import Result, Row, Run, load

RESULTS = Path(__file__).parent / "results"
_NONE = "-"
_QUIET = 0.1  # up to this many cores busy with other processes are ignored
_RATIO = "time of torch / time of this one: above 1, this one is faster"


def report(result: Result) -> str:
    """Format the results of one suite as Markdown."""
    lines = [f"# {result.title}", ""]
    if result.quick:
        lines += ["**A quick test run. The numbers mean nothing.**", ""]
    machine, versions = result.machine, result.versions
    caches = ", ".join(f"{level} {size}" for level, size in machine["caches"].items())
    lines += [
        f"{machine['cpu']}, {_counted(machine['cores'], 'core')}, {caches or 'caches unknown'}. "
        f"NumPy {versions['numpy']}, PyTorch {versions['torch']}. {result.created}",
        "",
    ]
    for run in result.runs:
        rows = [
            row
            for row in result.rows
            if (row.environment, row.threads) == (run.environment, run.threads)
        ]
        lines += [_heading(run), ""]
        for (task, images, dtype), group in _groups(rows):
            lines += [f"### {_what(task, images, dtype)}", ""]
            one_layer = len({row.layer for row in group}) == 1
            lines += [_ladder(group) if one_layer else _by_layer(group), ""]
        lines += [*_best_peer(rows), *_disturbed(run, rows), *_not_measured(result, run)]
    lines += _against_the_faster(result)
    return "\n".join(lines)


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
        fair.setdefault((contender, threads, _what(task, images, dtype)), []).append(least)
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


def stored(suite: str) -> Result:
    """Read the stored result of a suite, such as "ladder"; errors are those of `store.load`."""
    return load(RESULTS / f"{suite}.json")


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


def _heading(run: Run) -> str:
    speed = ", ".join(f"{name} {value:.0f}" for name, value in run.sgemm.items())
    return (
        f"## {_counted(run.threads, 'thread')}, environment {run.environment}\n\n"
        f"{run.clock}. NumPy on {run.blas}; torch on {run.torch_kernels}. Float32 matrix "
        f"product of 1024x1024, GFLOP/s: {speed}."
    )


def _what(task: str, images: int, dtype: str) -> str:
    words = {"forward": "Output", "gradients": "All three gradients"}.get(task, task)
    return f"{words}, {_counted(images, 'image')}, {dtype}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _groups(rows: Sequence[Row]) -> list[tuple[tuple[str, int, str], list[Row]]]:
    """Group the rows by table, in their order."""
    return [
        (key, list(group))
        for key, group in groupby(rows, key=lambda row: (row.task, row.images, row.dtype))
    ]


def _ladder(rows: Sequence[Row]) -> str:
    """Format one layer: one line per contender, the slowest first."""
    table = [
        [
            row.contender,
            _time(row.ms) + ("*" if row.extrapolated else ""),
            f"{row.gflops:.3g}",
            f"{row.ratio:.3g}",
            f"{row.ratio_low:.3g} to {row.ratio_high:.3g}",
            row.n,
            _NONE if row.extra_mib is None else f"{row.extra_mib:.1f}",
            _NONE if row.error is None else f"{row.error:.0e}",
        ]
        for row in sorted(rows, key=lambda row: -row.ms)
    ]
    heads = ["", "ms", "GFLOP/s", "ratio", "quartiles", "n", "extra MiB", "error"]
    notes = [f"{rows[0].layer}, {rows[0].gflop:.3g} GFLOP. Ratio: {_RATIO}."]
    parts = [f"{row.contender} {row.measured_on}" for row in rows if row.extrapolated]
    notes += [f"* extrapolated from a part: {'; '.join(parts)}."] if parts else []
    return "\n\n".join([_markdown(table, heads), *notes])


def _by_layer(rows: Sequence[Row]) -> str:
    """Format many layers: one line per layer, one column per contender, totals below."""
    names = list(dict.fromkeys(row.contender for row in rows))
    layers = list(dict.fromkeys(row.layer for row in rows))
    cells = {(row.layer, row.contender): row for row in rows}
    others = [name for name in names if name != "torch"]
    table: list[list[str]] = []
    for layer in layers:
        torch = cells[layer, "torch"]
        ratios = [_ratio(cells.get((layer, name))) for name in others]
        table.append([layer, f"{torch.gflop:.2f}", _time(torch.ms), f"{torch.gflops:.0f}", *ratios])
    by_name = {name: [row for row in rows if row.contender == name] for name in names}
    table.append(
        ["geometric mean", "", "", ""] + [_mean(by_name[name], len(layers)) for name in others]
    )
    if all(row.count for row in rows):
        whole = [_network(by_name[name], len(layers)) for name in names]
        table.append(["whole network, ms", "", whole[0], "", *whole[1:]])
    table.append(
        ["largest error", "", _error(by_name["torch"]), ""] + [_error(by_name[n]) for n in others]
    )
    table.append(["most extra MiB", "", _NONE, ""] + [_memory(by_name[n]) for n in others])
    short = [name.removeprefix("convlab ") for name in others]
    heads = ["layer", "GFLOP", "torch, ms", "GFLOP/s", *short]
    notes = f"Columns after GFLOP/s: {_RATIO}. (k): of k layers only. *: extrapolated from a part."
    return _markdown(table, heads) + "\n\n" + notes


def _against_the_faster(result: Result) -> list[str]:
    """Summarize the ratios against the faster of PyTorch's two page policies."""
    cold = fair_ratios(result.rows, "cold_ratio")
    table = [
        [
            contender,
            threads,
            what,
            len(ratios),
            _digits(geometric_mean(ratios)),
            _digits(min(ratios)),
            _digits(max(ratios)),
            _digits(geometric_mean(cold[contender, threads, what])),
        ]
        for (contender, threads, what), ratios in fair_ratios(result.rows).items()
        if contender.startswith("convlab")
    ]
    if not table:
        return []
    heads = ["", "threads", "", "cases", "geometric mean", "least", "most", "mean, cold"]
    title = "## Against the faster of PyTorch with and without huge pages"
    return [title, "", _markdown(table, heads), ""]


def _best_peer(rows: Sequence[Row]) -> list[str]:
    """Compare convlab with the fastest of the other NumPy and SciPy implementations."""
    gains = {}
    for key, group in groupby(rows, key=lambda row: (row.layer, row.images)):
        ratios = {row.contender: row.ratio for row in group}
        rivals = [
            ratios[name] for name in ratios if not name.startswith(("torch", "convlab", "jax"))
        ]
        if rivals and "convlab auto" in ratios:
            gains[key] = ratios["convlab auto"] / max(rivals)
    if not gains:
        return []
    (layer, images), least = min(gains.items(), key=lambda item: item[1])
    return [
        f"convlab auto against the fastest peer without a compiler, per layer: geometric mean "
        f"{geometric_mean(gains.values()):.2f}, least {least:.2f} ({layer}, N={images}).",
        "",
    ]


def _disturbed(run: Run, rows: Sequence[Row]) -> list[str]:
    """Warn if other processes were running while wall times were taken."""
    worst = max((row.others or 0.0 for row in rows), default=0.0)
    if run.clock == "CPU time" or worst < _QUIET:
        return []
    return [
        f"**Other processes kept up to {worst:.1f} cores busy meanwhile: wall times, and ratios "
        f"of them, are disturbed.**",
        "",
    ]


def _not_measured(result: Result, run: Run) -> list[str]:
    """List the skipped contenders, with the first reason of each."""
    reasons: dict[str, list[str]] = {}
    for entry in result.skipped:
        if (entry.environment, entry.threads) == (run.environment, run.threads):
            reasons.setdefault(entry.contender, []).append(f"{entry.layer}: {entry.reason}")
    lines = [
        f"- {name}, {_counted(len(cases), 'case')}; {cases[0]}" for name, cases in reasons.items()
    ]
    return ["Not measured:", "", *lines, ""] if lines else []


def _markdown(table: Sequence[Sequence[object]], heads: Sequence[str]) -> str:
    align = ["left"] + ["right"] * (len(heads) - 1)
    return str(tabulate(table, heads, tablefmt="github", disable_numparse=True, colalign=align))


def _time(ms: float) -> str:
    return f"{ms:.3g}" if ms < 1000 else f"{ms:.0f}"


def _ratio(row: Row | None) -> str:
    if row is None:
        return _NONE
    return _digits(row.ratio) + ("*" if row.extrapolated else "")


def _digits(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.1g}"


def _mean(rows: Sequence[Row], layers: int) -> str:
    number = _digits(geometric_mean(row.ratio for row in rows))
    return number if len(rows) == layers else f"{number} ({len(rows)})"


def _network(rows: Sequence[Row], layers: int) -> str:
    if len(rows) < layers:
        return _NONE
    return _time(sum(row.ms * (row.count or 1) for row in rows))


def _error(rows: Sequence[Row]) -> str:
    known = [row.error for row in rows if row.error is not None]
    return f"{max(known):.0e}" if known else _NONE


def _memory(rows: Sequence[Row]) -> str:
    known = [row.extra_mib for row in rows if row.extra_mib is not None]
    return f"{max(known):.1f}" if known else _NONE


def main(names: Sequence[str]) -> None:
    """Print the reports of the named files, or of all stored results."""
    paths = [Path(name) for name in names] or sorted(RESULTS.glob("*.json"))
    for path in paths:
        print(report(load(path)))


if __name__ == "__main__":
    main(sys.argv[1:])
