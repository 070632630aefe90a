"""Training with several processes: the process group, collectives and batch normalization.

`torchrun` starts the processes and sets the environment variables that identify each. Each computes
the gradients of its share of the batch; `DistributedDataParallel` averages them. CPUs communicate
through gloo, GPUs through nccl.
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from convlab._model_state import update_buffers
from convlab.training.errors import DeviceError, WorkerLost
from convlab.training.precision import at_least_float32

# How long a process waits for the others. Long enough for rank 0 to write a large checkpoint.
TIMEOUT = timedelta(minutes=5)


@dataclass(frozen=True)
class DistributedContext:
    """Rank and device of this process, number of processes, and their collectives.

    Process 0 is the primary one: it writes files and messages. With a `world_size` of 1, the
    collectives return their argument.

    Examples
    --------
    >>> context = DistributedContext()
    >>> context.all_reduce(torch.tensor([1.0, 2.0]), "sum")
    tensor([1., 2.])
    >>> context.batch_slice(128)
    slice(0, 128, None)
    """

    rank: int = 0
    world_size: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009  (immutable)

    @property
    def is_primary(self) -> bool:
        """Whether this is process 0."""
        return self.rank == 0

    def batch_slice(self, batch_size: int) -> slice:
        """Return this process's share of a batch; all shares have the same size."""
        share = batch_size // self.world_size
        return slice(self.rank * share, (self.rank + 1) * share)

    def all_reduce(self, values: Tensor, operation: str) -> Tensor:
        """Return the "sum", "min" or "max" of a tensor over all processes, element by element."""
        if self.world_size > 1:
            values = values.clone()
            dist.all_reduce(values, getattr(dist.ReduceOp, operation.upper()))
        return values

    def all_gather(self, value: Any) -> list[Any]:
        """Return the objects of all processes, ordered by rank."""
        if self.world_size == 1:
            return [value]
        values: list[Any] = [None] * self.world_size
        dist.all_gather_object(values, value)
        return values

    def broadcast(self, value: Any) -> Any:
        """Return the object of process 0."""
        if self.world_size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def broadcast_buffers(self, model: nn.Module) -> None:
        """Copy the buffers of a model from process 0 to the others."""
        if self.world_size > 1:
            values = {name: buffer.cpu() for name, buffer in model.named_buffers()}
            update_buffers(model, self.broadcast(values))

    def wrap_model(self, model: nn.Module) -> nn.Module:
        """Return the module to call in training, whose gradients are averaged over processes.

        Each step starts with the buffers of process 0. Parameters without a gradient in one
        process get the mean of the others, and keep none if no process has one. If all have one,
        PyTorch warns once on standard error that it need not have looked for them.
        """
        if self.world_size == 1:
            return model
        # With synchronized batch statistics the buffers are equal in all processes, so they need
        # not be sent in each step. The option was renamed in PyTorch 2.15.
        sends = any(
            not isinstance(module, SyncBatchNorm) and any(True for _ in module.buffers(False))
            for module in model.modules()
        )
        name = "forward_sync_buffers"
        if name not in inspect.signature(DistributedDataParallel).parameters:
            name = "broadcast_buffers"
        options: dict[str, Any] = {name: sends, "find_unused_parameters": True}
        # Gradients of kernels with one input channel have two equivalent memory layouts.
        # PyTorch warns if they differ, which costs nothing.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        return DistributedDataParallel(model, **options)

    def average_gradients(self, model: nn.Module, enabled: bool) -> AbstractContextManager[None]:
        """Return a context in which a backward pass averages the gradients over the processes.

        If not `enabled`, each process adds up its own gradients. `model` is the result of
        `wrap_model`, possibly compiled.
        """
        if enabled or self.world_size == 1:
            return nullcontext()
        return model.no_sync()  # type: ignore[no-any-return, operator]


def find_device(name: str, local_rank: int = 0) -> torch.device:
    """Return the device that a name stands for, after checking that it works.

    "auto" is a CUDA GPU if there is one, else the CPU; other names are those of `torch.device`.
    `local_rank` is the index of a CUDA GPU if its name has none. Raises DeviceError if the device
    does not exist or cannot be used.

    Examples
    --------
    >>> find_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", local_rank)
        torch.zeros(1, device=device).item()  # fails on "meta", which stores no numbers
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        raise DeviceError(f"device {name!r} cannot be used here: {reason}") from error
    return device


@contextmanager
def process_group(device: str) -> Iterator[DistributedContext]:
    """Join the processes that `torchrun` started, until the end of the block.

    `device` is a name for `find_device`. Without `torchrun`, the context is that of a single
    process. Raises DeviceError if the device cannot be used, and WorkerLost in place of PyTorch's
    error if another process ends during the block.

    Examples
    --------
    >>> with process_group("cpu") as context:
    ...     context.world_size
    1
    """
    own_device = find_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if own_device.type == "cuda":
        torch.cuda.set_device(own_device)
    # torchrun sets all of these; a single one may have another origin.
    launched = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()
    joins = launched and not dist.is_initialized()
    if joins:
        backend = "cpu:gloo,cuda:nccl" if own_device.type == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=TIMEOUT)
    stack = ExitStack()
    try:
        if dist.is_initialized():
            stack.enter_context(warnings.catch_warnings())  # removes the filter of `wrap_model`
            yield DistributedContext(dist.get_rank(), dist.get_world_size(), own_device)
        else:
            yield DistributedContext(device=own_device)
    except RuntimeError as error:
        if dist.is_initialized() and _is_lost_connection(error):
            raise WorkerLost(
                "another process of this job has ended; start the same command again to continue "
                "from the last checkpoint"
            ) from error
        raise
    finally:
        stack.close()
        if joins:
            dist.destroy_process_group()


def _is_lost_connection(error: RuntimeError) -> bool:
    """Return whether an error of gloo or nccl says that another process has ended."""
    text = str(error).lower()
    signs = ("connection closed", "connection reset", "broken pipe", "remote process", "timed out")
    return isinstance(error, dist.DistError) or any(sign in text for sign in signs)


class SyncBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalization with the statistics of the joint batch of all processes.

    Unlike `torch.nn.SyncBatchNorm`, it also works on CPUs. Its parameters, buffers and results are
    those of an ordinary layer on the joint batch. The processes must have equal shares of it.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        pass  # BatchNorm1d, 2d and 3d differ only in this check

    def forward(self, input: Tensor) -> Tensor:
        """Normalize ``(N, C, ...)``."""
        if not self.training:
            return super().forward(input)
        values = at_least_float32(input)  # as PyTorch does
        axes = [axis for axis in range(values.ndim) if axis != 1]
        shape = [1, -1] + [1] * (values.ndim - 2)  # broadcasts (C,) against (N, C, ...)
        # Two passes, mean first: the difference of two large sums would lose digits.
        count = values.numel() // values.shape[1] * dist.get_world_size()
        mean = _all_reduce_sum(values.sum(axes)) / count
        centered = values - mean.reshape(shape)
        variance = _all_reduce_sum(centered.square().sum(axes)) / count
        self._update_running_stats(mean.detach(), variance.detach() * count / max(1, count - 1))
        normalized = centered * torch.rsqrt(variance + self.eps).reshape(shape)
        if self.affine:
            normalized = normalized * self.weight.reshape(shape) + self.bias.reshape(shape)
        return normalized.to(input.dtype)

    def _update_running_stats(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        momentum = self.momentum
        if momentum is None:  # the mean over all batches so far
            momentum = 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), momentum)


@contextmanager
def sync_batch_norm(model: nn.Module) -> Iterator[None]:
    """Replace batch normalization in a model by `SyncBatchNorm` until the end of the block.

    Only the class of the layers changes, if it is exactly `nn.BatchNorm1d`, `2d` or `3d`, or
    `nn.SyncBatchNorm`, which needs a GPU; names, parameters and buffers stay the same.
    """
    replaced = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    layers = [(module, type(module)) for module in model.modules() if type(module) in replaced]
    for module, _ in layers:
        module.__class__ = SyncBatchNorm
    try:
        yield
    finally:
        for module, cls in layers:
            module.__class__ = cls


class _AllReduceSum(torch.autograd.Function):
    """Sum over all processes, of values in the forward and of gradients in the backward pass."""

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


def _all_reduce_sum(values: Tensor) -> Tensor:
    total: Tensor = _AllReduceSum.apply(values)
    return total
