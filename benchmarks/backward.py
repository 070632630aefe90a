"""The gradients: how convlab is called on a backward problem."""

from __future__ import annotations

from typing import Any

from benchmarks.problems import Call, Problem
from benchmarks.suites import GRADIENTS
from convlab import ops

# Which function computes one gradient alone, as function(g, x, w, stride, padding, dilation,
# groups). A task that is not listed is reported as skipped.
SINGLE: dict[str, Any] = {}


def prepare(problem: Problem) -> Call:
    """Call `convlab.ops.conv2d_backward`, or the function for one gradient alone.

    Raises
    ------
    ValueError
        If convlab has no such function.
    """
    layer, arrays = problem.layer, (problem.g, problem.x, problem.w)
    settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
    if problem.task == GRADIENTS:
        all_three = getattr(ops, "conv2d_backward", None)
        if all_three is None:
            raise ValueError("convlab.ops has no conv2d_backward")
        return lambda: tuple(all_three(*arrays, *settings))
    if problem.task not in SINGLE:
        raise ValueError(f"convlab has no function for {problem.task} alone")
    one = SINGLE[problem.task]
    return lambda: (one(*arrays, *settings),)
