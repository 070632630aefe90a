"""Tables of the result of a GPU run: ``python -m benchmarks.gpu --print FILE``."""

from __future__ import annotations

from benchmarks.gpu.store import GpuResult
from benchmarks.loops.report import LEGEND, markdown, speeds

_NONE = "-"


def report(result: GpuResult) -> str:
    """Return the tables of a result, as Markdown."""
    accelerator = result.accelerator or {}
    gpu = accelerator.get("name", "no GPU")
    cpu = f"{result.machine['cpu']}, {result.machine['cores']} cores"
    lines = [f"# {gpu}; {cpu}", ""]
    if result.rehearsal:
        lines += ["**A rehearsal, to see that everything works. The numbers mean nothing.**", ""]
    known = [f"{name} {version}" for name, version in result.versions.items() if version]
    lines += [f"{', '.join(known)}. {result.created}", ""]
    facts = {key: value for key, value in accelerator.items() if key not in ("name", "gemm_tflops")}
    if facts:
        lines += [", ".join(f"{key}: {value}" for key, value in facts.items()), ""]
    if rates := accelerator.get("gemm_tflops"):
        products = ", ".join(f"{name} {rate:,.4g}" for name, rate in rates.items())
        lines += [f"Matrix products, TFLOP/s: {products}", ""]
    lines += _training(result) + _profile(result) + _accuracy(result) + _inference(result)
    for entry in result.skipped:
        lines.append(f"- not measured: {entry.part}, {entry.what}; {entry.reason}")
    for test in result.tests:
        if not (result.rehearsal and test.outcome == "skipped"):
            lines.append(f"- {test.outcome}: {test.name}; {test.reason or 'no reason printed'}")
    lines += ["", f"## All parts, within {result.minutes:g} minutes", ""]
    lines += [f"- {part.name}: {part.note}" for part in result.parts if part.note]
    lines += ["", _parts(result), ""]
    return "\n".join(lines)


def _parts(result: GpuResult) -> str:
    table = [
        [part.name, part.status, f"{part.seconds:.1f}", f"{part.limit:.0f}"]
        for part in result.parts
    ]
    return markdown(table, ["part", "status", "seconds", "limit, s"])


def _training(result: GpuResult) -> list[str]:
    lines = []
    for network in dict.fromkeys(row.network for row in result.training):
        rows = [row for row in result.training if row.network == network]
        lines += [
            f"## Training of {network}, batches of {rows[0].batch}, {rows[0].images:,} images "
            "per epoch",
            "", speeds(rows), "", LEGEND, "",
        ]  # fmt: skip
    return lines


def _profile(result: GpuResult) -> list[str]:
    if not result.profile:
        return []
    first = result.profile[0]
    table = [
        [
            row.contender, _number(row.step_ms), _number(row.profiled_ms),
            _number(row.operator_ms), _number(row.launch_ms), _number(row.wait_ms),
            _number(row.device_ms),
            _NONE if row.device_ms is None else f"{100 * row.device_ms / row.profiled_ms:.0f} %",
            _number(row.operators), _number(row.launches), _number(row.kernels),
        ]
        for row in result.profile
    ]  # fmt: skip
    heads = ["", "step, ms", "profiled", "operators, ms", "launches, ms", "waiting, ms",
             "device, ms", "busy", "operators", "launches", "kernels"]  # fmt: skip
    return [
        f"## One training step of {first.network}, batch of {first.batch}", "",
        markdown(table, heads), "",
        "Step: without the profiler. Everything else: with it. Host: inside operators, inside "
        "launches and copies, waiting for the device. Device: inside kernels and copies; busy: "
        "their share of the profiled step.", "",
    ]  # fmt: skip


def _accuracy(result: GpuResult) -> list[str]:
    if not result.accuracy:
        return []
    table = [
        [
            f"{row.network}, {row.data}", row.seed, row.epochs, f"{row.images_per_second:,.0f}",
            f"{100 * row.target:.1f}", f"{100 * row.accuracy:.2f}", _number(row.seconds_to_target),
            _number(row.training_seconds), _number(row.seconds),
        ]
        for row in result.accuracy
    ]  # fmt: skip
    heads = ["", "seed", "epochs", "images/s", "target, %", "accuracy, %", "target after, s",
             "training, s", "in all, s"]  # fmt: skip
    settings = {row.network: row.settings for row in result.accuracy}
    lines = [f"- {network}: {text}" for network, text in settings.items()]
    note = [f"- {result.note}"] if result.note else []
    return ["## Trainings to an accuracy", "", markdown(table, heads), "", *lines, *note, ""]


def _inference(result: GpuResult) -> list[str]:
    lines = []
    for batch in dict.fromkeys(row.batch for row in result.inference):
        rows = [row for row in result.inference if row.batch == batch]
        table = [
            [
                row.prepared, f"{row.images_per_second:,.0f}", f"{row.ms:.3g}", f"{row.ratio:.2f}",
                f"{row.ratio_low:.2f} to {row.ratio_high:.2f}", row.n, f"{row.error:.1e}",
                f"{row.tolerance:g}", f"{row.first_call:.1f}",
            ]
            for row in rows
        ]  # fmt: skip
        heads = ["", "images/s", "ms", "ratio", "quartiles", "n", "error", "tolerance",
                 "first call, s"]  # fmt: skip
        lines += [
            f"## Inference of {rows[0].network}, {rows[0].size} x {rows[0].size}, batch of {batch}",
            "", markdown(table, heads), "",
        ]  # fmt: skip
    return lines


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.3g}"
