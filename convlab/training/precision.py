"""Mixed precision, TF32 and determinism."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from convlab.training.config import TrainConfig

_AUTOCAST_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Return the autocast context of the forward pass for `config.precision`.

    Examples
    --------
    >>> with autocast(TrainConfig(precision="bf16"), torch.device("cpu")):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.bfloat16
    """
    dtype = _AUTOCAST_DTYPES.get(config.precision)
    return torch.autocast(device.type, dtype=dtype, enabled=dtype is not None)


def loss_scaler(config: TrainConfig, device: torch.device) -> torch.amp.GradScaler:
    """Return the gradient scaler that keeps small fp16 gradients from becoming 0.

    It is disabled for the other formats: bf16 has the range of float32.

    Examples
    --------
    >>> loss_scaler(TrainConfig(), torch.device("cpu")).is_enabled()
    False
    """
    return torch.amp.GradScaler(device.type, enabled=config.precision == "fp16")


def model_dtype(model: nn.Module) -> torch.dtype:
    """Return the floating-point dtype of the weights and inputs, float32 if there are no weights.

    Examples
    --------
    >>> model_dtype(nn.Linear(2, 2).double()), model_dtype(nn.Flatten())
    (torch.float64, torch.float32)
    """
    dtypes = (parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())
    return next(dtypes, torch.float32)


def at_least_float32(values: Tensor) -> Tensor:
    """Convert values of fewer than 32 bits to float32, in which sums are accurate enough.

    Examples
    --------
    >>> at_least_float32(torch.ones(1, dtype=torch.bfloat16)).dtype
    torch.float32
    >>> at_least_float32(torch.ones(1, dtype=torch.float64)).dtype
    torch.float64
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))


@contextmanager
def backend_flags(config: TrainConfig) -> Iterator[None]:
    """Set PyTorch's flags for TF32 and determinism, and restore them at the end of the block.

    Examples
    --------
    >>> with backend_flags(TrainConfig(deterministic=True)):
    ...     torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.are_deterministic_algorithms_enabled()
    False
    """
    cudnn = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    torch.set_float32_matmul_precision("high" if config.tf32 else "highest")
    cudnn.allow_tf32 = config.tf32
    # All steps have the same shapes, so it pays to time all algorithms once. But the fastest one,
    # and with it the rounding, may differ from run to run.
    cudnn.benchmark = not config.deterministic
    if config.deterministic:
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS requires it
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        cudnn.allow_tf32, cudnn.benchmark = before[1:]
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        if config.deterministic and workspace is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)
        elif workspace is not None:
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = workspace
