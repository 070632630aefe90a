"""Several processes that train one network, and what each needs to know of the others.

`torchrun` starts the processes and tells each its number in the environment. Each computes the
gradients of its share of the batch; `DistributedDataParallel` averages them. CPUs talk through
gloo, GPUs through nccl.
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

# How long one process waits for another. Long enough for rank 0 to write a large checkpoint.
PATIENCE = timedelta(minutes=5)


class WorkerLost(RuntimeError):
    """Another process of the job has ended, so this one cannot go on."""


class DeviceError(ValueError):
    """There is no such device here."""


@dataclass(frozen=True)
class World:
    """The processes that train together, seen from one of them.

    Parameters
    ----------
    rank : int
        Number of this process; 0 is the one that writes files and speaks.
    size : int
        How many there are.
    device : torch.device
        Where this process computes.

    Examples
    --------
    >>> alone = World()
    >>> alone.total(torch.tensor([1.0, 2.0]))
    tensor([1., 2.])
    >>> alone.part(128)
    slice(0, 128, None)
    """

    rank: int = 0
    size: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009  (immutable)

    def part(self, batch: int) -> slice:
        """Return which images of a batch are this process's."""
        share = batch // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def total(self, values: Tensor) -> Tensor:
        """Return the sum over all processes."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values

    def lowest(self, values: Tensor) -> Tensor:
        """Return the smallest value that any process has."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values, dist.ReduceOp.MIN)
        return values

    def highest_number(self, number: int) -> int:
        """Return the largest of the numbers of all processes, asked on the host."""
        if self.size == 1:
            return number
        value = torch.tensor(number)  # on the CPU: the device is not disturbed
        dist.all_reduce(value, dist.ReduceOp.MAX)
        return int(value)

    def everyones(self, value: Any) -> list[Any]:
        """Return what each process gave, in the order of their numbers."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def of_first(self, value: Any) -> Any:
        """Return what process 0 gave."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return the model to call in training: its gradients are the mean over processes."""
        if self.size == 1:
            return model
        # Joint batch statistics make the buffers equal everywhere: no need to send them in each
        # step. The switch got another name in PyTorch 2.15.
        known = inspect.signature(DistributedDataParallel).parameters
        name = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
        options: dict[str, Any] = {name: False}
        # Gradients of kernels with one input channel have two equally good layouts. PyTorch
        # warns if they are not the same; nothing is slower for it.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        return DistributedDataParallel(model, **options)


def find_device(name: str, local_rank: int = 0) -> torch.device:
    """Return the device of that name.

    Parameters
    ----------
    name : str
        "auto" for a CUDA GPU if there is one, else the CPU; or what `torch.device` takes.
    local_rank : int
        Which of the GPUs of this machine, if the name gives none.

    Raises
    ------
    DeviceError
        If there is no such device; a ValueError.

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
        torch.zeros(1, device=device).item()  # "meta" keeps no numbers
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        raise DeviceError(f"device {name!r} cannot be used here: {reason}") from error
    return device


@contextmanager
def joined(device: str) -> Iterator[World]:
    """Join the job that `torchrun` started, or be alone.

    Parameters
    ----------
    device : str
        As in `find_device`.

    Yields
    ------
    World
        The processes, until the end of the ``with`` block.

    Raises
    ------
    DeviceError
        If the device cannot be used.
    WorkerLost
        Inside the block, in place of what the library says when another process has ended.

    Examples
    --------
    >>> with joined("cpu") as world:
    ...     world.size
    1
    """
    here = find_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if here.type == "cuda":
        torch.cuda.set_device(here)
    # torchrun sets all of these; a variable alone may be a leftover of something else.
    started = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()
    mine = started and not dist.is_initialized()
    if mine:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if here.type == "cuda" else "gloo", timeout=PATIENCE
        )
    stack = ExitStack()
    try:
        if dist.is_initialized():
            stack.enter_context(warnings.catch_warnings())  # see `World.wrap`
            yield World(dist.get_rank(), dist.get_world_size(), here)
        else:
            yield World(device=here)
    except RuntimeError as error:
        if dist.is_initialized() and _means_lost(error):
            raise WorkerLost(
                "another process of this job has ended; start the same command again to continue "
                "from the last checkpoint"
            ) from error
        raise
    finally:
        stack.close()
        if mine:
            dist.destroy_process_group()


def _means_lost(error: RuntimeError) -> bool:
    """Tell whether an error is what gloo or nccl raise when the other end is gone."""
    text = str(error).lower()
    signs = ("connection closed", "connection reset", "broken pipe", "remote process", "timed out")
    return isinstance(error, dist.DistError) or any(sign in text for sign in signs)
