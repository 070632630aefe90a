"""The gradients: how convlab is called on a backward problem."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.problems import Call, Problem
from benchmarks.suites import GRAD_INPUT, GRADIENTS
from convlab import ops


def prepare(problem: Problem) -> Call:
    """Call `convlab.ops.conv2d_backward`, or the function behind one of its gradients.

    Raises
    ------
    ValueError
        If convlab has no such function.
    """
    layer, g, x, w = problem.layer, problem.g, problem.x, problem.w
    if problem.task == GRADIENTS:
        all_three = _find("convlab.ops", "conv2d_backward")
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return lambda: tuple(all_three(g, x, w, *settings))

    size, sides = (layer.size,) * 2, (layer.padding,) * 4
    steps = (layer.stride,) * 2, (layer.dilation,) * 2, layer.groups
    if problem.task == GRAD_INPUT:
        input_gradient = _find("convlab.ops.adjoints", "input_gradient")
        return lambda: (input_gradient(g, w, size, sides, *steps),)

    weight_gradient = _find("convlab.ops.adjoints", "weight_gradient")

    def call() -> tuple[Any]:
        padded = ops.pad2d(x, layer.padding) if layer.padding else x
        return (weight_gradient(g, padded, w.shape[2:], *steps),)

    return call


def _find(module: str, name: str) -> Any:
    """Import a function that convlab may not have, as ValueError says then."""
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"there is no {name} in {module}") from error
