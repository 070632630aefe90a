"""Tables of stored trainings: ``python -m benchmarks.loops.report [file ...]``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tabulate import tabulate

from convlab.results.training import TRAININGS, Row, Start, TrainingResult, load

_NONE = "-"
_QUIET = 0.1  # cores busy with something else that do not matter yet
LEGEND = (
    "Ratio: images per second beside the plain loop; its quartiles. Change: beside the contender "
    "that differs in this one setting. First epoch: images per second, set-up included; in the "
    "first training of all."
)


def report(result: TrainingResult) -> str:
    """Return the tables of a result, as Markdown."""
    lines = [f"# Training on {_where(result)}", ""]
    if result.quick:
        lines += ["**A quick run, to see that everything works. The numbers mean nothing.**", ""]
    known = [f"{name} {version}" for name, version in result.versions.items() if version]
    lines += [f"{', '.join(known)}; {result.torch_kernels}. {result.created}", ""]
    for network in dict.fromkeys(row.network for row in result.rows):
        rows = [row for row in result.rows if row.network == network]
        starts = [start for start in result.starts if start.network == network]
        first = rows[0]
        lines += [
            f"## {network}, batches of {first.batch}, {first.images:,} images per epoch, "
            f"{first.threads} threads",
            "", speeds(rows), "", LEGEND, "",
        ]  # fmt: skip
        lines += [_starts(starts), ""] if starts else []
        lines += _disturbed(rows)
    lines += [
        f"- not measured: {entry.contender} on {entry.network}; {entry.reason}"
        for entry in result.skipped
    ]
    return "\n".join(lines)


def _where(result: TrainingResult) -> str:
    cpu = f"{result.machine['cpu']}, {result.machine['cores']} cores"
    return f"{result.accelerator['name']}; {cpu}" if result.accelerator else cpu


def speeds(rows: Iterable[Row]) -> str:
    """Return the table of the images per second, as Markdown."""
    table = [
        [
            row.contender, row.precision, _count(row.images_per_second),
            f"{_count(row.mean)} ± {_NONE if row.deviation is None else _count(row.deviation)}",
            f"{row.ratio:.2f}", f"{row.ratio_low:.2f} to {row.ratio_high:.2f}", row.n,
            _NONE if row.base_ratio is None else f"{row.base_ratio:.2f}",
            _count(row.first_epoch), _count(row.first_epoch_ever),
        ]
        for row in rows
    ]  # fmt: skip
    heads = ["", "precision", "images/s", "mean ± deviation", "ratio", "quartiles", "n", "change",
             "first epoch", "first of all"]  # fmt: skip
    return markdown(table, heads)


def _starts(starts: Iterable[Start]) -> str:
    table = [
        [
            start.contender, f"{start.seconds:.1f}",
            f"{start.seconds_low:.1f} to {start.seconds_high:.1f}", start.n,
            f"{start.peak_mib:.0f}",
            _NONE if start.device_peak_mib is None else f"{start.device_peak_mib:.0f}",
        ]
        for start in starts
    ]  # fmt: skip
    return markdown(
        table, ["a new process", "first step after, s", "quartiles", "n", "peak MiB", "GPU, MiB"]
    )


def _disturbed(rows: Sequence[Row]) -> list[str]:
    """Return a warning if other processes were busy."""
    worst = max((row.others or 0.0 for row in rows), default=0.0)
    if worst < _QUIET:
        return []
    return [f"**Other processes kept up to {worst:.1f} cores busy meanwhile.**", ""]


def _count(value: float) -> str:
    return f"{value:,.0f}"


def markdown(table: Sequence[Sequence[object]], heads: Sequence[str]) -> str:
    """Return a table as Markdown; its first column is text."""
    align = ["left"] + ["right"] * (len(heads) - 1)
    return str(tabulate(table, heads, tablefmt="github", disable_numparse=True, colalign=align))


def main(names: Sequence[str]) -> None:
    """Print the reports of some files, or of all that are stored."""
    for path in [Path(name) for name in names] or sorted(TRAININGS.glob("*.json")):
        print(report(load(path)))


if __name__ == "__main__":
    main(sys.argv[1:])
