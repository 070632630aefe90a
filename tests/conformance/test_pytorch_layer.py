"""PyTorch's own samples of its convolution, answered by the layer of `convlab.nn`."""

from collections import Counter

import pytest
import torch

from convlab.nn import Conv2d, conv2d


def assert_close(answers, expected):
    """Compare tensors up to some roundings of the largest number."""
    for answer, other in zip(answers, expected, strict=True):
        tolerance = 0.0
        if other.numel() and not other.dtype.is_floating_point | other.dtype.is_complex:
            assert torch.equal(answer, other)
        elif other.numel():
            tolerance = 50 * torch.finfo(other.dtype).eps * float(other.abs().max())
        torch.testing.assert_close(answer, other, rtol=0, atol=tolerance)


def test_every_sample_in_every_dtype_with_every_gradient(recorded):
    compared = Counter()
    for record in recorded["samples"]:
        if record["operator"] != "conv2d":
            continue
        tensors = [record["input"], *record["args"]]
        dtype = tensors[0].dtype
        differentiable = "gradients" in record
        tensors = [t if t is None else t.detach().requires_grad_(differentiable) for t in tensors]
        answer = conv2d(*tensors, **record["kwargs"])
        assert_close([answer], [record["output"]])
        if differentiable:
            leaves = [t for t in tensors if t is not None]
            gradients = torch.autograd.grad(answer, leaves, record["grad_output"])
            assert_close(gradients, record["gradients"])
            compared["gradients"] += 1
        compared[str(dtype)] += 1
    assert compared["torch.float32"] >= 30
    assert compared["torch.float64"] >= 60
    assert compared["gradients"] >= 60
    assert set(compared) >= {"torch.complex64", "torch.complex128", "torch.float16", "torch.int64"}


def test_every_call_that_pytorch_refuses_is_refused(recorded):
    refused = [record for record in recorded["errors"] if record["operator"] == "conv2d"]
    for record in refused:
        with pytest.raises((ValueError, TypeError)):
            conv2d(record["input"], *record["args"], **record["kwargs"])
    assert len(refused) == 10


ARGUMENTS = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")
ARGUMENTS += ("groups", "padding_mode")


def test_every_layer_that_pytorch_builds_in_its_tests(recorded):
    layers = [record for record in recorded["modules"] if record["module"] == "Conv2d"]
    for record in layers:
        options = {name: record[name] for name in ARGUMENTS}
        ours = Conv2d(**options, bias=record.get("bias") is not None, dtype=record["input"].dtype)
        state = {name: record[name] for name in ("weight", "bias") if record.get(name) is not None}
        ours.load_state_dict(state)
        assert_close([ours(record["input"])], [record["output"]])
    assert len(layers) >= 8
