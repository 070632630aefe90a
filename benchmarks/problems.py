"""Random arrays for a case, its exact results, and parts of it."""

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
# A call without arguments that computes a problem once.
Call = Callable[[], Any]


@dataclass(frozen=True)
class Problem:
    """The arrays of a case: input, weight, gradient of the output, and the exact results.

    In a forward problem `g` is empty. In a separable one, each slice of a kernel is a multiple
    of the same slice of every other kernel. `expected` is float64: the output, or the gradients
    of the task in the order input, weight, bias.
    """

    layer: Layer
    task: str
    x: Array
    w: Array
    g: Array
    expected: tuple[Array, ...]

    def part(self, images: int, kernels: int) -> Problem:
        """Return the first images and kernels of a forward problem without groups."""
        return replace(
            self,
            layer=replace(self.layer, kernels=kernels) if self.layer.groups == 1 else self.layer,
            x=self.x[:images],
            w=self.w[:kernels],
            g=self.g[:images, :kernels],
            expected=(self.expected[0][:images, :kernels],),
        )

    def error(self, results: Sequence[Any]) -> float:
        """Return the largest error of the results over their largest magnitude."""
        if len(results) != len(self.expected):
            raise ValueError(f"expected {len(self.expected)} results, got {len(results)}")
        worst = 0.0
        for result, exact in zip(results, self.expected, strict=True):
            array = np.asarray(result)
            if array.shape != exact.shape:
                return float("inf")
            error = float(np.abs(array - exact).max() / np.abs(exact).max())
            worst = max(worst, float("inf") if math.isnan(error) else error)
        return worst


def make(case: Case) -> Problem:
    """Fill a case with normal random numbers, seeded by the layer, and compute its results."""
    layer = case.layer
    random = np.random.default_rng(zlib.crc32(layer.name.encode()))

    def normal(*shape: int) -> Array:
        return random.standard_normal(shape, np.float32).astype(case.dtype)

    x = normal(case.images, layer.channels, layer.size, layer.size)
    if case.task == SEPARABLE:
        w = normal(layer.kernels, layer.channels, 1, 1) * normal(*layer.weight_shape)[:1]
    else:
        w = normal(*layer.weight_shape)
    w *= np.asarray(w[0].size ** -0.5, w.dtype)  # outputs with a standard deviation of 1
    size = 0 if case.task in (FORWARD, SEPARABLE) else layer.output_size
    g = normal(case.images, layer.kernels, size, size)
    tensors = [torch.from_numpy(array).double() for array in (x, w, g)]
    exact = torch_results(layer, case.task, *tensors)
    return Problem(layer, case.task, x, w, g, tuple(result.numpy() for result in exact))


def torch_results(layer: Layer, task: str, x: Tensor, w: Tensor, g: Tensor) -> tuple[Tensor, ...]:
    """Compute the results of a task with PyTorch."""
    arguments = (layer.stride, layer.padding, layer.dilation)
    if task in (FORWARD, SEPARABLE):
        return (torch.nn.functional.conv2d(x, w, None, *arguments, layer.groups),)
    # Autograd calls this; the mask selects the gradients of input, weight and bias.
    mask = {
        GRAD_INPUT: [True, False, False],
        GRAD_WEIGHT: [False, True, False],
        GRADIENTS: [True, True, True],
    }[task]
    stride, padding, dilation = ([number, number] for number in arguments)
    gradients = torch.ops.aten.convolution_backward(
        g, x, w, [layer.kernels], stride, padding, dilation, False, [0, 0], layer.groups, mask
    )
    return tuple(result for result, needed in zip(gradients, mask, strict=True) if needed)
