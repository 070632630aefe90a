"""Multiply-accumulates and parameters compared with definitions and PyTorch's own counter."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import nn
from torch.nn.attention.flex_attention import flex_attention
from torch.utils.flop_counter import FlopCounterMode

import convlab.nn
from convlab.summary import summary
from tests.summary.networks import KINDS, Block, networks


# In versions of PyTorch that have no such operation.
@torch.library.custom_op("convlab_tests::foreach_mm", mutates_args=())
def foreach_mm(xs: list[torch.Tensor], ys: list[torch.Tensor]) -> list[torch.Tensor]:
    return [x @ y for x, y in zip(xs, ys, strict=True)]


def jagged(x):
    return torch.nested.nested_tensor([x, x[:2]], layout=torch.jagged)


@settings(max_examples=100)
@given(networks(kinds=[kind for kind in KINDS if kind != "spread"]))  # may hold an FFT
def test_cost_and_parameters_are_those_that_pytorch_counts(network):
    model, channels, size = network
    counted = summary(model, (2, channels, *size))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.ones(2, channels, *size))
    assert counted.macs == counter.get_total_flops() // 2
    assert counted.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        # outputs x products per output; for a transposed convolution inputs x products per input
        (nn.Conv1d(4, 6, 3, groups=2), (2, 4, 9), (2 * 6 * 7) * (2 * 3)),
        (nn.Conv2d(4, 6, (3, 2), 2, groups=2), (5, 4, 9, 8), (5 * 6 * 4 * 4) * (2 * 3 * 2)),
        (nn.Conv2d(4, 4, 3, groups=4, dilation=2), (1, 4, 6, 5), (4 * 2 * 1) * 9),
        (convlab.nn.Conv2d(4, 6, (3, 2), 2, groups=2), (5, 4, 9, 8), (5 * 6 * 16) * 12),
        (nn.Conv3d(2, 3, (1, 2, 3), padding=1), (2, 2, 4, 5, 6), (2 * 3 * 6 * 6 * 6) * (2 * 6)),
        (nn.ConvTranspose1d(4, 6, 3, stride=2), (2, 4, 9), (2 * 4 * 9) * (6 * 3)),
        (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2), (1, 4, 5, 7), (4 * 5 * 7) * (3 * 9)),
        (nn.ConvTranspose3d(2, 3, 2, stride=2), (1, 2, 3, 3, 3), (2 * 27) * (3 * 8)),
        (nn.Linear(7, 3), (5, 7), (5 * 3) * 7),
        (nn.Linear(7, 3), (5, 2, 7), (5 * 2 * 3) * 7),
        (nn.Bilinear(4, 5, 6), ((2, 4), (2, 5)), None),
        (nn.LSTM(4, 3), (5, 2, 4), (5 * 2) * (4 * 3) * (4 + 3)),
        (nn.LSTM(4, 3).double(), (5, 2, 4), (5 * 2) * (4 * 3) * (4 + 3)),
        (nn.LSTM(4, 3, 2, bidirectional=True), (5, 2, 4), 10 * 12 * 2 * (4 + 3 + 6 + 3)),
    ],
)
def test_layers_cost_what_their_definition_says(layer, shape, macs):
    shapes = shape if isinstance(shape[0], tuple) else (shape,)
    dtype = next(layer.parameters()).dtype
    found = summary(layer, input_data=[torch.ones(s, dtype=dtype) for s in shapes])
    assert found.macs == macs
    assert found.parameters == sum(p.numel() for p in layer.parameters())
    assert found.parameters_unused == 0


@pytest.mark.parametrize("layer", [nn.Conv2d(4, 6, 3), convlab.nn.Conv2d(4, 6, 3), nn.Linear(4, 2)])
def test_an_empty_batch_costs_nothing(layer):
    shape = (0, 4) if isinstance(layer, nn.Linear) else (0, 4, 9, 9)
    assert summary(layer, torch.ones(shape)).macs == 0


@pytest.mark.parametrize(
    ("function", "macs"),
    [
        (lambda self, x: x @ torch.ones(3), 4 * 3),
        (lambda self, x: torch.addmv(torch.ones(4), x, torch.ones(3)), 4 * 3),
        (lambda self, x: x[0] @ x[1], 3),
        (lambda self, x: torch.addmm(torch.ones(1), x, x.T), 4 * 3 * 4),
        (lambda self, x: torch.einsum("ij,kj->ik", x, x), 4 * 3 * 4),
        (lambda self, x: x * x, 0),
        (lambda self, x: torch.cdist(x, x), 4 * 4 * 3),
        (lambda self, x: torch.cdist(x.repeat(8, 1), x.repeat(8, 1)), 32 * 32 * 3),
        (lambda self, x: torch.cdist(x, x, p=1), None),
        (lambda self, x: torch.addbmm(torch.ones(1), x[None], x.T[None]), 4 * 3 * 4),
        (lambda self, x: torch.sparse.mm(torch.eye(4).to_sparse(), x), 4 * 3),
        (lambda self, x: torch.spmm(torch.eye(4).to_sparse(), x), 4 * 3),
        (lambda self, x: torch.eye(4).to_sparse() @ x[:, 0], 4),
        (lambda self, x: torch.eye(4).to_sparse_csr() @ x[:, 0], 4),
        (lambda self, x: torch._foreach_mul([x, x], 2.0)[0], 0),
        (lambda self, x: torch.fake_quantize_per_tensor_affine(x, 0.1, 0, 0, 255), 0),
        (lambda self, x: torch.cond(x.sum() > 0, lambda y: y @ y.T, lambda y: y + 1, (x,)), None),
        (lambda self, x: flex_attention(*3 * [torch.ones(1, 2, 16, 16)]) + x[0, 0], None),
        (lambda self, x: F.linear(torch.nested.nested_tensor([x, x[:2]]), torch.ones(5, 3)), None),
        (lambda self, x: F.linear(jagged(x), torch.ones(5, 3)).values(), None),
        (lambda self, x: torch._int_mm(*2 * [torch.ones(32, 32, dtype=torch.int8)]), 32**3),
        (lambda self, x: torch.linalg.inv(torch.eye(4)), None),
        (lambda self, x: torch.linalg.solve(torch.eye(4), x), None),
        (lambda self, x: torch.matrix_exp(x.T @ x), None),
        (lambda self, x: torch.nn.functional.bilinear(x, x, torch.ones(2, 3, 3)), None),
        (lambda self, x: x.cumsum(0)[[1, 0]].topk(2, 0).values.roll(1, 0).norm(), 0),
        (lambda self, x: F.affine_grid(torch.ones(1, 2, 3), (1, 1, 2, 2), False), 8 * 3),
        (lambda self, x: torch.fft.fft(x).real, None),
        (lambda self, x: getattr(torch.ops.aten, "_foreach_mm", foreach_mm)([x], [x.T])[0], None),
    ],
)
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_products_in_code_are_counted_or_unknown(function, macs):
    assert summary(Block(function), (4, 3)).macs == macs


def test_attention_costs_two_products_of_matrices():
    query, keys, values = torch.ones(3, 2, 5, 8), torch.ones(3, 2, 7, 8), torch.ones(3, 2, 7, 6)
    attend = Block(lambda self, *args: F.scaled_dot_product_attention(*args))
    assert summary(attend, (query, keys, values)).macs == 3 * 2 * (5 * 7 * 8 + 5 * 7 * 6)


@pytest.mark.parametrize(
    "layer",
    [
        nn.MultiheadAttention(8, 2, batch_first=True),
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    ],
)
def test_layers_with_attention_cost_what_their_products_do(layer):
    x = torch.ones(2, 5, 8)
    call = (x, x, x) if isinstance(layer, nn.MultiheadAttention) else (x,)
    found = summary(layer, call)
    attention = 2 * 5 * (4 * 8 * 8) + 2 * 2 * 5 * 5 * (4 + 4)
    feedforward = 0 if len(call) == 3 else 2 * 5 * (2 * 8 * 16)
    assert found.macs == attention + feedforward
    assert found.parameters == sum(p.numel() for p in layer.parameters())
    assert found.parameters_unused == 0
