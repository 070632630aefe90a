"""Tests of the backend flags, set for a training and restored after it."""

import os

import pytest
import torch

from convlab.training import TrainConfig
from convlab.training.precision import autocast, backend_flags, loss_scaler


def switches():
    return (
        torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32,
        torch.backends.cudnn.benchmark, torch.are_deterministic_algorithms_enabled(),
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )  # fmt: skip


@pytest.mark.parametrize("workspace", [None, ":16:8"])
@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("tf32", [False, True])
def test_switches(tf32, deterministic, workspace, monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    if workspace:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", workspace)
    before = switches()
    with backend_flags(TrainConfig(tf32=tf32, deterministic=deterministic)):
        inside = switches()
    assert switches() == before
    assert inside[:4] == ("high" if tf32 else "highest", tf32, not deterministic, deterministic)
    assert inside[4] == (":4096:8" if deterministic else workspace)


def test_flags_are_restored_after_an_error():
    before = switches()
    with pytest.raises(RuntimeError), backend_flags(TrainConfig(deterministic=True)):
        raise RuntimeError
    assert switches() == before


@pytest.mark.parametrize("deterministic", [False, True])
def test_warnings_in_place_of_errors_are_restored(deterministic):
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with backend_flags(TrainConfig(deterministic=deterministic)):
            assert torch.is_deterministic_algorithms_warn_only_enabled() is not deterministic
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_products_are_computed_in_the_chosen_type(precision, dtype, device):
    config = TrainConfig(precision=precision)
    with autocast(config, torch.device(device)):
        found = torch.nn.functional.linear(*(torch.ones(2, 2, device=device) for _ in range(2)))
    assert found.dtype == dtype
    assert loss_scaler(config, torch.device(device)).is_enabled() == (precision == "fp16")
