"""A case filled with random numbers, its exact answer, and parts of it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.layers import Layer
from benchmarks.suites import FORWARD, GRAD_INPUT, GRAD_WEIGHT, GRADIENTS, SEPARABLE, Case

Array = NDArray[Any]
Tensor = torch.Tensor
# What a contender makes of a problem: a call without arguments that computes it once.
Call = Callable[[], Any]


@dataclass(frozen=True)
class Problem:
    """The arrays of a case: input, weight, gradient of the output, and the exact results.

    A forward problem has no gradient; `g` is empty there. The weight of a separable one is a
    product: each slice of a kernel is a multiple of the same slice of every other.
    `expected` is float64: the output, or the gradients that the task asks for, in the order
    input, weight, bias.
    """

    layer: Layer
    task: str
    x: Array
    w: Array
    g: Array
    expected: tuple[Array, ...]

    def part(self, images: int, kernels: int) -> Problem:
        """Take the first images and kernels of a forward problem without groups."""
        return replace(
            self,
            layer=replace(self.layer, kernels=kernels) if self.layer.groups == 1 else self.layer,
            x=self.x[:images],
            w=self.w[:kernels],
            g=self.g[:images, :kernels],
            expected=(self.expected[0][:images, :kernels],),
        )

    def error(self, results: Sequence[Any]) -> float:
        """Compare with the exact results: the largest error over the largest magnitude."""
        if len(results) != len(self.expected):
            raise ValueError(f"{len(results)} results where {len(self.expected)} are expected")
        worst = 0.0
        for found, exact in zip(results, self.expected, strict=True):
            array = np.asarray(found)
            if array.shape != exact.shape:
                return float("inf")
            error = float(np.abs(array - exact).max() / np.abs(exact).max())
            worst = max(worst, float("inf") if math.isnan(error) else error)
        return worst


def make(case: Case) -> Problem:
    """Fill a case with normal random numbers, always the same, and compute its answer."""
    layer = case.layer
    random = np.random.default_rng(zlib.crc32(layer.name.encode()))

    def normal(*shape: int) -> Array:
        return random.standard_normal(shape, np.float32).astype(case.dtype)

    x = normal(case.images, layer.channels, layer.size, layer.size)
    if case.task == SEPARABLE:
        w = normal(layer.kernels, layer.channels, 1, 1) * normal(*layer.weight_shape)[:1]
    else:
        w = normal(*layer.weight_shape)
    w *= np.asarray(w[0].size ** -0.5, w.dtype)  # outputs of size 1, like those of a network
    size = 0 if case.task in (FORWARD, SEPARABLE) else layer.output_size
    g = normal(case.images, layer.kernels, size, size)
    tensors = [torch.from_numpy(array).double() for array in (x, w, g)]
    exact = torch_results(layer, case.task, *tensors)
    return Problem(layer, case.task, x, w, g, tuple(result.numpy() for result in exact))


def torch_results(layer: Layer, task: str, x: Tensor, w: Tensor, g: Tensor) -> tuple[Tensor, ...]:
    """Let PyTorch compute what the task asks for."""
    one_side = (layer.stride, layer.padding, layer.dilation)
    if task in (FORWARD, SEPARABLE):
        return (torch.nn.functional.conv2d(x, w, None, *one_side, layer.groups),)
    # This is what autograd calls; the mask says which of input, weight and bias want a gradient.
    mask = {
        GRAD_INPUT: [True, False, False],
        GRAD_WEIGHT: [False, True, False],
        GRADIENTS: [True, True, True],
    }[task]
    stride, padding, dilation = ([number, number] for number in one_side)
    gradients = torch.ops.aten.convolution_backward(
        g, x, w, [layer.kernels], stride, padding, dilation, False, [0, 0], layer.groups, mask
    )
    return tuple(result for result, asked in zip(gradients, mask, strict=True) if asked)
