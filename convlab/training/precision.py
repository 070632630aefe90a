"""Which numbers the processor computes with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from convlab.training.config import TrainConfig

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Return the context for the forward pass: float32, or half as many bits where it is safe.

    Parameters
    ----------
    config : TrainConfig
        Gives `precision`.
    device : torch.device
        Where the network computes.

    Examples
    --------
    >>> with autocast(TrainConfig(precision="bf16"), torch.device("cpu")):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.bfloat16
    """
    kind = _TYPES.get(config.precision)
    return torch.autocast(device.type, dtype=kind, enabled=kind is not None)


def loss_scaler(config: TrainConfig, device: torch.device) -> torch.amp.GradScaler:
    """Return what multiplies the loss of fp16, so that small gradients do not become 0.

    bf16 has the range of float32, so only fp16 needs it; else it does nothing.

    Examples
    --------
    >>> loss_scaler(TrainConfig(), torch.device("cpu")).is_enabled()
    False
    """
    return torch.amp.GradScaler(device.type, enabled=config.precision == "fp16")


def float_type(model: nn.Module) -> torch.dtype:
    """Return the type of the weights, which images must have too.

    Examples
    --------
    >>> float_type(nn.Linear(2, 2).double()), float_type(nn.Flatten())
    (torch.float64, torch.float32)
    """
    kinds = (parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())
    return next(kinds, torch.float32)


def at_least_float32(values: Tensor) -> Tensor:
    """Return values as they are, or of float32 if they have fewer bits: losses are sums.

    Examples
    --------
    >>> at_least_float32(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    >>> at_least_float32(torch.ones(1, dtype=torch.float64)).dtype
    torch.float64
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))


@contextmanager
def arithmetic(config: TrainConfig) -> Iterator[None]:
    """Set TF32 and determinism as the configuration says, and put everything back at the end.

    Parameters
    ----------
    config : TrainConfig
        Gives `tf32` and `deterministic`.

    Examples
    --------
    >>> with arithmetic(TrainConfig(deterministic=True)):
    ...     torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.are_deterministic_algorithms_enabled()
    False
    """
    cudnn = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark
    strict = torch.are_deterministic_algorithms_enabled()
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    torch.set_float32_matmul_precision("high" if config.tf32 else "highest")
    cudnn.allow_tf32 = config.tf32
    # Every step has the same shapes, so trying all algorithms once pays. But the winner may
    # differ from run to run, and with it the last bits.
    cudnn.benchmark = not config.deterministic
    if config.deterministic:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS asks for it
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        cudnn.allow_tf32, cudnn.benchmark = before[1:]
        torch.use_deterministic_algorithms(strict)
        if config.deterministic and workspace is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
        elif workspace is not None:
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = workspace
