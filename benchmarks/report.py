"""Print tables of stored results: ``python -m benchmarks.report [file ...]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tabulate import tabulate

from convlab.results import FILES
from convlab.results.convolution import counted, describe, fair_ratios, geometric_mean
from convlab.results.store import Result, Row, Run, load

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
        f"{machine['cpu']}, {counted(machine['cores'], 'core')}, {caches or 'caches unknown'}. "
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
            lines += [f"### {describe(task, images, dtype)}", ""]
            one_layer = len({row.layer for row in group}) == 1
            lines += [_ladder(group) if one_layer else _by_layer(group), ""]
        lines += [*_best_peer(rows), *_disturbed(run, rows), *_not_measured(result, run)]
    lines += _against_the_faster(result)
    return "\n".join(lines)


def _heading(run: Run) -> str:
    speed = ", ".join(f"{name} {value:.0f}" for name, value in run.sgemm.items())
    return (
        f"## {counted(run.threads, 'thread')}, environment {run.environment}\n\n"
        f"{run.clock}. NumPy on {run.blas}; torch on {run.torch_kernels}. Float32 matrix "
        f"product of 1024x1024, GFLOP/s: {speed}."
    )


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
        f"- {name}, {counted(len(cases), 'case')}; {cases[0]}" for name, cases in reasons.items()
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
    paths = [Path(name) for name in names] or sorted(FILES.glob("*.json"))
    for path in paths:
        print(report(load(path)))


if __name__ == "__main__":
    main(sys.argv[1:])
