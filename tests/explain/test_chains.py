"""Chains of layers for signals, images and volumes: the one fault is named, and its fixes run."""

import random
from copy import deepcopy

import pytest
import torch
from torch import nn

from convlab.explain import explain


def layer(kind, rank):
    return getattr(nn, f"{kind}{rank}d")


def part(rng, rank, channels, sizes):
    """Return a layer that takes a map, and how it can be broken, by cause."""
    pick, large = rng.choice, max(sizes) + 3
    out_channels, wrong = pick([2, 4, 6]), channels + pick([1, 5])
    kind = pick(["Conv", "Conv", "ConvTranspose", "MaxPool", "AvgPool", "BatchNorm", "Group"])
    make = nn.GroupNorm if kind == "Group" else layer(kind, rank)
    if kind == "Conv":
        groups = channels if out_channels % channels == 0 else 1
        mode = pick(["zeros", "reflect", "circular"])
        window = {"padding": 1, "groups": groups, "padding_mode": mode}
        same = make(channels, out_channels, 3, padding="same")
        same.stride = (2,) * rank
        return make(channels, out_channels, pick([1, 3]), pick([1, 2]), **window), {
            "channels": make(wrong, out_channels, 3, padding=1, padding_mode=mode),
            "kernel_larger_than_input": make(channels, out_channels, 3, dilation=large),
            "padding_mode_too_large": make(
                channels, out_channels, 1, padding=large, padding_mode="reflect"
            ),
            "not_an_integer": make(channels, out_channels, 3, 2.0, **window),
            "same_with_stride": same,
            "dtype_mismatch": make(channels, out_channels, 3, **window).double(),
        }
    if kind == "ConvTranspose":
        return make(channels, out_channels, 2, pick([1, 2])), {
            "channels": make(wrong, out_channels, 2),
            "transposed_size": make(channels, out_channels, 3, output_padding=2),
            "empty_output": make(channels, out_channels, 2, padding=large),
        }
    if kind in ("MaxPool", "AvgPool"):
        return make(2, 1, 1, ceil_mode=pick([True, False])), {
            "pool_padding": make(2, padding=2),
            "kernel_larger_than_input": make(large),
        }
    if kind == "Group":
        return make(1, channels), {"channels": make(1, wrong)}
    return make(channels), {"batchnorm_channels": make(wrong)}


def head(channels, numbers):
    """Return the layers behind a flattened map, and how they can be broken."""
    return [nn.Flatten(), nn.Linear(numbers, 4), nn.LayerNorm(4)], [
        (1, "linear_after_flatten", nn.Linear(numbers + channels, 4)),
        (2, "features", nn.LayerNorm(5)),
    ]


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("seed", range(2))
def test_the_one_fault_is_named_and_each_fix_runs(rank, seed):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    mended = 0
    for _ in range(12):
        x = torch.randn(2, rng.choice([1, 2, 3]), *rng.choices([8, 9, 11], k=rank))
        layers, y, faults = [], x, []
        for position in range(rng.choice([2, 3, 5])):
            good, broken = part(rng, rank, y.shape[1], y.shape[2:])
            faults += [(position, cause, bad) for cause, bad in broken.items()]
            layers.append(nn.Sequential(good, nn.ReLU()))
            y = layers[-1](y)
        last, of_head = head(y.shape[1], y[0].numel())
        faults += [(len(layers) + n, cause, bad) for n, cause, bad in of_head]
        chain = nn.Sequential(*layers, *last)
        found = explain(chain, x)
        assert (found.ok, found.output_shape) == (True, tuple(chain(x).shape))
        position, cause, bad = rng.choice(faults)
        path = str(position)
        chain[position] = bad if position >= len(layers) else nn.Sequential(bad, nn.ReLU())
        path += "" if position >= len(layers) else ".0"
        state, structure = deepcopy(chain.state_dict()), repr(chain)
        found = explain(chain, x)
        assert (found.cause, found.layer) == (cause, path), (chain, x.shape)
        assert repr(chain) == structure
        assert all(torch.equal(value, state[key]) for key, value in chain.state_dict().items())
        fixes = [fix for fix in found.fixes if fix.apply]
        mended += bool(fixes)
        for fix in fixes:
            model, inputs = fix.apply(chain, (x,))
            model(*inputs)
    assert mended >= 10  # where a mended layer leaves others that do not fit, some have none
