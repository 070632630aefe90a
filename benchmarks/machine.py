"""Describe the machine: CPU, versions, environment variables, load by other processes."""

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

from convlab import __version__
from convlab.results.store import rounded

# Variables that choose the kernels of a library.
KERNELS = (
    "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "BLIS_ARCH_TYPE", "MKL_ENABLE_INSTRUCTIONS",
    "MKL_DEBUG_CPU_TYPE", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES",
)  # fmt: skip
# Set, PyTorch asks the system for huge pages for large tensors, as NumPy does for large arrays.
HUGE_PAGES = {"THP_MEM_ALLOC_ENABLE": "1"}
# Prefixes of variables that change threads, kernels or the allocator.
_FAMILIES = (
    "OPENBLAS_", "GOTO_", "BLIS_", "MKL_", "OMP_", "KMP_", "GOMP_", "VECLIB_", "ONEDNN_", "DNNL_",
    "ATEN_", "NPY_", "XLA_", "NPROC", "MALLOC_", "GLIBC_TUNABLES", "THP_", "NUMPY_MADVISE",
)  # fmt: skip


def environments(variables: Mapping[str, str], coretype: str | None) -> dict[str, dict[str, str]]:
    """Return the environments to measure in: their names and variables.

    "natural" has none of the variables that change the libraries, which is the usual case; "huge
    pages" has the one with which PyTorch gets pages of the same size as NumPy. "as found" keeps
    those that choose kernels, if there are any. `coretype` adds one where OpenBLAS uses the kernels
    for that CPU. The number of threads is set inside the process, the same for
    all libraries, and not by a variable.
    """
    plain = {key: value for key, value in variables.items() if not key.startswith(_FAMILIES)}
    kernels = {key: variables[key] for key in KERNELS if key in variables}
    chosen = {"natural": plain, "huge pages": plain | HUGE_PAGES}
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
        "huge_pages": _huge_pages(),
        "system": f"{platform.system()} {platform.machine()}",
    }


PACKAGES = ("convlab", "numpy", "scipy", "torch", "jax", "threadpoolctl")


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str | None]:
    """Return the versions of Python and of packages; None for those not installed."""
    return {"python": platform.python_version()} | {name: _version(name) for name in packages}


def busy_seconds() -> float | None:
    """Return the busy time of all cores since boot; None if the system is not Linux."""
    try:
        first, *_ = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        user, nice, system, _idle, _waiting, *interrupts = map(int, first.split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


class Others:
    """Context manager that measures the load by other processes.

    Attributes
    ----------
    cores : float or None
        On exit, the average number of cores that they kept busy; None where it is unknown.
    """

    cores: float | None = None

    def __enter__(self) -> Others:
        self._start = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        everything, own, wall = (
            None if end is None or start is None else end - start
            for start, end in zip(self._start, self._read(), strict=True)
        )
        if everything is not None and own is not None and wall:
            self.cores = rounded(max(0.0, everything - own) / wall)

    @staticmethod
    def _read() -> tuple[float | None, float, float]:
        children = os.times()  # of children that have ended, such as loaders of images
        own = time.process_time() + children.children_user + children.children_system
        return busy_seconds(), own, time.perf_counter()


def _version(package: str) -> str | None:
    if package == "convlab":  # measured from the source tree, installed or not
        return __version__
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    """Return name, family and model of the CPU; a virtual machine may hide the name."""
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
        name = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if name:
            return name
    return platform.processor() or "unknown"


def _cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _caches() -> dict[str, str]:
    """Return the sizes of the first core's caches, on Linux."""
    sizes = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, cache_type, size = (
            (index / name).read_text(encoding="ascii").strip() for name in ("level", "type", "size")
        )
        if cache_type != "Instruction":
            sizes[f"L{level}"] = size
    return sizes


def _memory_gib() -> float | None:
    """Return the amount of memory, or None where it is unknown."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _huge_pages() -> str | None:
    """Return when Linux gives huge pages: "always", "madvise" (on request) or "never"."""
    try:
        text = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(encoding="ascii")
    except OSError:
        return None
    chosen = re.search(r"\[(\w+)\]", text)
    return chosen[1] if chosen else None
