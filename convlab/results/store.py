"""The dataclasses of a result, and its file: one JSON file per suite."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from convlab._files import atomic_write

SCHEMA = 2
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Row:
    """The measurement of one contender on one case. Times are for one call on the whole case.

    A ratio is *time of torch / time of this contender*, taken round by round, contiguous
    arrays on torch's side: above 1, this contender is faster. In the suite "groups", torch is the
    ordinary layer with the same result, in the memory format of the contender. ``_low`` and
    ``_high`` are quartiles. A contender without a measurement has a `Skipped` instead.
    """

    layer: str  # as in `layers.Layer.name`
    images: int  # N
    dtype: str  # "float32" or "float64"
    task: str  # "forward", "grad_input", "grad_weight", "gradients" (all three) or "separable"
    count: int | None  # how often the layer occurs in the network, where there is one
    gflop: float  # of the definition, even if the method needs fewer
    environment: str  # name of a `Run`
    threads: int
    contender: str  # "torch", "torch channels_last", "convlab auto", ..., or a peer
    ms: float
    ms_low: float
    ms_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    cold_ms: float  # of calls that follow another contender's
    cold_ratio: float
    n: int  # timings, one per round
    gflops: float  # gflop / time, 10^9 per second
    extra_mib: float | None  # NumPy's peak beyond inputs and outputs; None where it cannot be seen
    error: float | None  # max|y - exact| / max|exact|; None where this is the reference itself
    extrapolated: bool  # measured on a part of the case, and multiplied
    measured_on: str  # "all", or the part
    others: float | None  # cores kept busy by other processes meanwhile; None where unknown


@dataclass(frozen=True)
class Skipped:
    """A contender without a measurement of a case, with the reason."""

    layer: str
    images: int
    dtype: str
    task: str
    environment: str
    threads: int
    contender: str
    reason: str
    wrong: bool  # True: it computed a wrong result


@dataclass(frozen=True)
class Run:
    """Environment, threads and libraries of one measuring process."""

    environment: str  # "natural", "huge pages", "as found", or the core type set for OpenBLAS
    variables: dict[str, str]  # the variables set that choose kernels or pages
    threads: int
    clock: str  # "CPU time" or "wall clock"
    blas: str  # the one behind NumPy, with version and kernels
    pools: list[dict[str, Any]]  # every thread pool that threadpoolctl sees
    torch_kernels: str  # the widest instructions that torch uses
    sgemm: dict[str, float]  # GFLOP/s of numpy and torch, 1024x1024 float32 matrices


@dataclass(frozen=True)
class Result:
    """The result of one suite. `rows` is a table: pandas.DataFrame(result.rows) works."""

    suite: str
    title: str
    created: str  # UTC, ISO 8601
    quick: bool  # True: a test run; the numbers mean nothing
    plan: dict[str, float]  # `timing.Plan`
    machine: dict[str, Any]
    versions: dict[str, str | None]
    runs: list[Run]
    rows: list[Row]
    skipped: list[Skipped]
    schema: int = field(default=SCHEMA)


def rounded(value: float) -> float:
    """Round to four significant digits."""
    return float(f"{value:.4g}")


def save(result: Result, folder: Path) -> Path:
    """Write ``folder/<suite>.json``, replacing an older one."""
    return write(dataclasses.asdict(result), folder / f"{result.suite}.json")


def write(data: dict[str, Any], target: Path) -> Path:
    """Write a result file atomically."""
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(target, lambda file: file.write(_text(data).encode()))
    return target


def _text(data: dict[str, Any]) -> str:
    """Format as JSON with one line per row, so that two results can be compared line by line."""
    parts = []
    for key, value in data.items():
        if isinstance(value, list) and value:
            lines = ",\n  ".join(json.dumps(entry, allow_nan=False) for entry in value)
            parts.append(f'"{key}": [\n  {lines}\n ]')
        else:
            parts.append(f'"{key}": {json.dumps(value, allow_nan=False)}')
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def load(path: Path) -> Result:
    """Read the result of a suite; errors are those of `read`."""
    return read(path, Result, SCHEMA, {"runs": Run, "rows": Row, "skipped": Skipped})


def read(path: Path, cls: type[ResultT], schema: int, tables: Mapping[str, type]) -> ResultT:
    """Read a file written by `write`.

    Parameters
    ----------
    path : Path
    cls : type
        Dataclass of the result.
    schema : int
        Expected schema number.
    tables : mapping of str to type
        Dataclasses for the entries of its lists.

    Raises
    ------
    ValueError
        If the schema is another one, or a field is missing or unknown.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    if data.get("schema") != schema:
        raise ValueError(f"{path.name} has schema {data.get('schema')!r}, expected {schema}")
    try:
        for key, entries in tables.items():
            data[key] = [entries(**entry) for entry in data[key]]
        return cls(**data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name} does not match schema {schema}: {error}") from error
