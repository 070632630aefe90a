"""Description, memory and synchronization of the processor and the GPU."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

import torch


def wait(device: str) -> None:
    """Wait until a GPU has finished its work."""
    if device == "cuda":
        torch.cuda.synchronize()


def accelerator(device: str) -> dict[str, Any] | None:
    """Return the name of the GPU; None on a CPU."""
    if device != "cuda":
        return None
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
    }


def device_peak_mib(device: str) -> float | None:
    """Return the peak memory of tensors on the GPU, in MiB; None on a CPU."""
    return torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else None


def peak_mib() -> float:
    """Return the peak memory of this process in RAM, in MiB.

    Linux says it per program. Other systems may count what the process was before it became
    this program.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    except OSError:
        pass
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
