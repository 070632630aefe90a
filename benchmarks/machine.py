"""Where a measurement takes place: CPU, versions, environment variables, other processes."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.store import rounded

# Variables that choose the kernels of a library.
KERNELS = (
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "BLIS_ARCH_TYPE", "MKL_ENABLE_INSTRUCTIONS",
    "MKL_DEBUG_CPU_TYPE", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES",
)  # fmt: skip
# Whatever starts like this changes threads, kernels or the allocator.
_FAMILIES = (
    "OPENBLAS_", "GOTO_", "BLIS_", "MKL_", "OMP_", "KMP_", "GOMP_", "VECLIB_", "ONEDNN_", "DNNL_",
    "ATEN_", "NPY_", "XLA_", "NPROC", "MALLOC_", "GLIBC_TUNABLES",
)  # fmt: skip


def environments(found: Mapping[str, str], coretype: str | None) -> dict[str, dict[str, str]]:
    """List the environments to measure in: a name, and the variables of the process.

    "natural" has none of the variables that change the libraries, like the machine of a user
    who never heard of them. "as found" keeps those that choose kernels, if there are any.
    `coretype` adds one with OpenBLAS held to the kernels of that CPU. The number of threads
    is set inside the process, the same for all libraries, and never by a variable.
    """
    plain = {key: value for key, value in found.items() if not key.startswith(_FAMILIES)}
    kernels = {key: found[key] for key in KERNELS if key in found}
    chosen = {"natural": plain}
    if kernels:
        chosen["as found"] = plain | kernels
    if coretype and kernels != {"OPENBLAS_CORETYPE": coretype}:
        chosen[coretype] = plain | {"OPENBLAS_CORETYPE": coretype}
    return chosen


def describe() -> dict[str, Any]:
    """Describe the machine, without its name."""
    return {
        "cpu": _cpu(),
        "cores": _cores(),
        "caches": _caches(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.machine()}",
    }


PACKAGES = ("convlab", "numpy", "scipy", "torch", "jax", "threadpoolctl")


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str | None]:
    """Name the versions of everything that takes part; None for what is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def busy_seconds() -> float | None:
    """Add up the time that all cores have worked, for anybody; None where Linux does not tell."""
    try:
        first, *_ = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        user, nice, system, _idle, _waiting, *interrupts = map(int, first.split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


class Others:
    """While it is entered, watch what other processes do.

    Attributes
    ----------
    cores : float or None
        On leaving, how many cores they kept busy, on average; None where the system does
        not tell.
    """

    cores: float | None = None

    def __enter__(self) -> Others:
        self._start = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        everybody, mine, wall = (
            None if end is None or start is None else end - start
            for start, end in zip(self._start, self._read(), strict=True)
        )
        if everybody is not None and mine is not None and wall:
            self.cores = rounded(max(0.0, everybody - mine) / wall)

    @staticmethod
    def _read() -> tuple[float | None, float, float]:
        children = os.times()  # those that have ended: loaders of images, for example
        mine = time.process_time() + children.children_user + children.children_system
        return busy_seconds(), mine, time.perf_counter()


def _cpu() -> str:
    """Name the CPU; in a virtual machine the name may be vague, the family is not."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    values = dict(re.findall(r"^([\w ]+?)\s*:[ \t]*(.*)$", text.split("\n\n")[0], re.MULTILINE))
    if "model name" in values:
        family, model = values.get("cpu family", "?"), values.get("model", "?")
        return f"{values['model name']} (family {family}, model {model})"
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if said:
            return said
    return platform.processor() or "unknown"


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _caches() -> dict[str, str]:
    """List the caches of the first core, where Linux says them."""
    sizes = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (
            (index / name).read_text(encoding="ascii").strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            sizes[f"L{level}"] = size
    return sizes


def _memory_gib() -> float | None:
    """Say how much memory there is, where the system tells."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None
