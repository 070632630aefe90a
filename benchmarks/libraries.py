"""Properties of the loaded libraries: thread pools, kernels, and the speed of SGEMM."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
import torch

from benchmarks.timing import Clock, estimate
from convlab.results.store import rounded


def torch_kernels() -> str:
    """Return torch's instruction set and the version of its oneDNN, if it has one."""
    built_with = re.search(r"(?:MKL-DNN|oneDNN) v([\d.]+)", torch.__config__.show())
    version = f", oneDNN {built_with[1]}" if built_with else ""
    return f"{torch.backends.cpu.get_cpu_capability()}{version}"


def pools() -> list[dict[str, Any]]:
    """List the thread pools of the libraries loaded so far, without their paths."""
    kept = ("user_api", "internal_api", "version", "architecture", "num_threads")
    return [
        {"of": _owner(pool["filepath"])} | {key: pool[key] for key in kept if key in pool}
        for pool in threadpoolctl.threadpool_info()
    ]


def blas(thread_pools: list[dict[str, Any]]) -> str:
    """Return NumPy's BLAS among the `pools`, with the kernels that it uses."""
    candidates = [pool for pool in thread_pools if pool["user_api"] == "blas"]
    candidates.sort(key=lambda pool: pool["of"] != "numpy")  # else the first one
    if not candidates:
        return "not visible to threadpoolctl"
    pool = candidates[0]
    kernels = pool.get("architecture", "unknown")
    return f"{pool['internal_api']} {pool['version']}, {kernels} kernels"


def sgemm(clock: Clock, size: int = 1024) -> dict[str, float]:
    """Measure GFLOP/s of a float32 matrix product, the limit for direct methods."""
    a = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    b = torch.from_numpy(a)
    speeds = {}
    for name, call in (("numpy", lambda: a @ a), ("torch", lambda: b @ b)):
        time.sleep(clock.pause)
        shortest = min(estimate(call, clock) for _ in range(5))
        speeds[name] = rounded(2 * size**3 / shortest / 1e9)
    return speeds


def _owner(path: str) -> str:
    """Return the package to which a shared library belongs."""
    for part in Path(path).parts:
        name = part.removesuffix(".libs")
        if name in ("numpy", "scipy", "torch", "sklearn"):
            return name
    return "the system"
