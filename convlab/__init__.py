"""Convolution as ``torch.nn.Conv2d`` computes it, in code short enough to read.

`convlab.shapes`
    Window arithmetic: output sizes, padding amounts, receptive fields, costs. Plain integers.
`convlab.ops`
    Convolution, padding and pooling in NumPy, with the names and semantics of
    ``torch.nn.functional``.
`convlab.nn`, `convlab.init`, `convlab.models`
    The layer built from scratch, weight initialization, and classic networks. Need PyTorch.
`convlab.data`, `convlab.training`
    Data sets, and a training loop that is fast and resumes exactly. Training needs PyTorch;
    downloading needs torchvision.
`convlab.summary`
    Shapes, parameters, cost and receptive field of every layer of a network. Needs PyTorch.
`convlab.explain`
    Why a call of a module fails: the layer, the numbers, and changes that make it run. Needs
    PyTorch.
`convlab.check`
    Exercises that check themselves, with hints for known mistakes. Needs NumPy.
`convlab.plots`
    The figures of the book. Needs matplotlib.

In a notebook, ``%load_ext convlab`` adds explanations to the errors of every later cell.

A module is loaded when it is first used, so importing the package loads nothing else, not even
NumPy.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

__version__ = "0.1.0"
__all__ = [
    "check",
    "data",
    "explain",
    "init",
    "models",
    "nn",
    "ops",
    "plots",
    "shapes",
    "summary",
    "training",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module 'convlab' has no attribute {name!r}")
    return importlib.import_module(f"convlab.{name}")


def load_ipython_extension(shell: Any) -> None:
    """Run every later cell as in a block of `convlab.explain.explaining`: ``%load_ext convlab``.

    Raises ModuleNotFoundError without PyTorch.
    """
    importlib.import_module("convlab.explain.notebook").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Undo ``%load_ext convlab``."""
    importlib.import_module("convlab.explain.notebook").unload(shell)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
