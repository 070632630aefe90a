"""Batch normalization with the statistics of the joint batch of all processes.

PyTorch's own `SyncBatchNorm` does this on GPUs only. The variance is taken in two passes, mean
first, because the difference of two large sums would lose digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from convlab.training.precision import at_least_float32

_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class _SumOverProcesses(torch.autograd.Function):
    """Add over processes. What one process puts in reaches all, so all gradients come back."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


def _sum(values: Tensor) -> Tensor:
    result: Tensor = _SumOverProcesses.apply(values)
    return result


class JointBatchNorm(nn.modules.batchnorm._BatchNorm):
    """A batch normalization that asks the other processes, in training.

    Same parameters, buffers and results as the layer of `torch.nn` on the joint batch; every
    process must bring a share of the same size. Not made directly: see `joint_batch_norm`.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        pass  # the layer that this one stands in for was made for its input

    def forward(self, input: Tensor) -> Tensor:
        """Normalize ``(N, C, ...)``."""
        if not self.training:
            return super().forward(input)
        values = at_least_float32(input)  # as PyTorch does
        over = [axis for axis in range(values.ndim) if axis != 1]
        shape = [1, -1] + [1] * (values.ndim - 2)
        count = values.numel() // values.shape[1] * dist.get_world_size()
        mean = _sum(values.sum(over)) / count
        centred = values - mean.reshape(shape)
        variance = _sum(centred.square().sum(over)) / count
        self._remember(mean.detach(), variance.detach() * count / max(1, count - 1))
        result = centred * torch.rsqrt(variance + self.eps).reshape(shape)
        if self.affine:
            result = result * self.weight.reshape(shape) + self.bias.reshape(shape)
        return result.to(input.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = self.momentum
        if share is None:  # a plain average over all batches so far
            share = 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


@contextmanager
def joint_batch_norm(model: nn.Module) -> Iterator[None]:
    """Let all batch normalizations of a model ask the other processes, for a while.

    Parameters
    ----------
    model : nn.Module
        Its layers of exactly `nn.BatchNorm1d`, `2d` and `3d` change their class, and nothing
        else: names, parameters and buffers stay, also in checkpoints.
    """
    plain = [(m, type(m)) for m in model.modules() if type(m) in _PLAIN]
    for module, _ in plain:
        module.__class__ = JointBatchNorm
    try:
        yield
    finally:
        for module, kind in plain:
            module.__class__ = kind
