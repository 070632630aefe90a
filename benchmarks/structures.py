"""Layers that do less: with groups, or in two steps. And the ordinary layer with the same result.

The zeros that a group leaves out cost an ordinary convolution as much time as any other number,
so it takes part with a weight that gives the very same output, and its result can be checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import conv2d

from benchmarks.problems import Array, Call, Problem
from convlab import ops


def ungrouped(problem: Problem) -> Problem:
    """Give the problem that has the same answer and no groups."""
    layer = problem.layer
    return replace(
        problem,
        layer=replace(layer, groups=1),
        w=ops.ungrouped_weight(problem.w, layer.groups),
    )


def factors(w: Array) -> tuple[Array, Array]:
    """Take a weight that is a product apart: weights of the depthwise and of the 1x1 step.

    Each slice is a multiple of the first kernel's. The multiples are the 1x1 weights.
    """
    depthwise = w[0]
    squares = np.square(depthwise).sum(axis=(1, 2))
    multiples = (w * depthwise).sum(axis=(2, 3)) / squares
    return depthwise[:, None], multiples[:, :, None, None]


def separable(memory_format: torch.memory_format) -> Callable[[Problem], Call]:
    """Call PyTorch twice: each channel by itself, then all channels of each pixel."""

    def prepare(problem: Problem) -> Call:
        layer = problem.layer
        x, depthwise, pointwise = (
            torch.from_numpy(array).clone().contiguous(memory_format=memory_format)
            for array in (problem.x, *factors(problem.w))
        )
        settings = (layer.stride, layer.padding, layer.dilation, layer.channels)
        return lambda: (conv2d(conv2d(x, depthwise, None, *settings), pointwise),)

    return prepare
