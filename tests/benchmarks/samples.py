"""An invented result, for tests of its file and its tables."""

import dataclasses

from convlab.results.store import Result, Row, Run, Skipped

RUN = Run(
    environment="natural", variables={}, threads=1, clock="CPU time",
    blas="openblas 0.3, Haswell kernels", pools=[{"of": "numpy", "user_api": "blas"}],
    torch_kernels="AVX2", sgemm={"numpy": 100.0, "torch": 90.0},
)  # fmt: skip
ROW = Row(
    layer="64>64 3x3 @56", images=1, dtype="float32", task="forward", count=4, gflop=0.2312,
    environment="natural", threads=1, contender="torch", ms=2.0, ms_low=1.9, ms_high=2.1, ratio=1.0,
    ratio_low=1.0, ratio_high=1.0, cold_ms=2.5, cold_ratio=1.0, n=7, gflops=115.6, extra_mib=None,
    error=3e-7, extrapolated=False, measured_on="all", others=0.0,
)  # fmt: skip


def row(contender, ratio, **changes):
    """Make the row of a contender with this speed relative to torch."""
    mine = {"contender": contender, "ratio": ratio, "ms": 2.0 / ratio, "extra_mib": 1.5}
    return dataclasses.replace(ROW, **(mine | changes))


def result(*rows, **changes):
    """Make a result that contains the rows."""
    made = Result(
        suite="sample", title="A sample", created="2020-01-01T00:00:00+00:00", quick=False,
        plan={"rounds": 7}, machine={"cpu": "Z80", "cores": 1, "caches": {"L1": "32K"}},
        versions={"numpy": "2.4", "torch": "2.15", "jax": None}, runs=[RUN], rows=list(rows),
        skipped=[Skipped("1>1 1x1 @1", 1, "float32", "forward", "natural", 1, "fft", "no", False)],
    )  # fmt: skip
    return dataclasses.replace(made, **changes)
