"""What the loaded libraries are made of: their thread pools, their kernels, the speed of SGEMM."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl
import torch

from benchmarks.store import rounded
from benchmarks.timing import Clock, estimate


def torch_kernels() -> str:
    """Name the instructions that torch uses and the version of its oneDNN, if it has one."""
    built_with = re.search(r"(?:MKL-DNN|oneDNN) v([\d.]+)", torch.__config__.show())
    version = f", oneDNN {built_with[1]}" if built_with else ""
    return f"{torch.backends.cpu.get_cpu_capability()}{version}"


def pools() -> list[dict[str, Any]]:
    """List the thread pools of the libraries loaded so far, without their places on the disk."""
    kept = ("user_api", "internal_api", "version", "architecture", "num_threads")
    return [
        {"of": _owner(pool["filepath"])} | {key: pool[key] for key in kept if key in pool}
        for pool in threadpoolctl.threadpool_info()
    ]


def blas(listed: list[dict[str, Any]]) -> str:
    """Name NumPy's BLAS among those `pools`, with the kernels that it chose."""
    candidates = [pool for pool in listed if pool["user_api"] == "blas"]
    candidates.sort(key=lambda pool: pool["of"] != "numpy")  # else the first that there is
    if not candidates:
        return "not visible to threadpoolctl"
    pool = candidates[0]
    kernels = pool.get("architecture", "unknown")
    return f"{pool['internal_api']} {pool['version']}, {kernels} kernels"


def sgemm(clock: Clock, size: int = 1024) -> dict[str, float]:
    """Measure GFLOP/s of a float32 matrix product: no plain method can be faster than that."""
    a = np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)
    b = torch.from_numpy(a)
    reached = {}
    for name, call in (("numpy", lambda: a @ a), ("torch", lambda: b @ b)):
        time.sleep(clock.pause)
        shortest = min(estimate(call, clock) for _ in range(5))
        reached[name] = rounded(2 * size**3 / shortest / 1e9)
    return reached


def _owner(path: str) -> str:
    """Tell to which package a shared library belongs."""
    for part in Path(path).parts:
        name = part.removesuffix(".libs")
        if name in ("numpy", "scipy", "torch", "sklearn"):
            return name
    return "the system"
