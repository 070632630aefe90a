"""Random chains of layers: the explanation agrees with the call, and its fixes make it run."""

import random

import pytest
import torch
from torch import nn

from convlab.explain import explain, explaining

KERNELS = [1, 2, 3, 5, (3, 1), (2, 3)]


def any_layer(rng):
    """Return a layer with arguments that may not fit anything."""
    pick = rng.choice
    channels, out_channels = pick([1, 2, 3, 4, 6, 8]), pick([2, 4, 6, 8])
    kind = pick(["conv", "conv", "transposed", "max", "average", "norm", "linear", "other"])
    if kind == "conv":
        groups = pick([1, 1, 2, channels])
        groups = 1 if channels % groups or out_channels % groups else groups
        stride = pick([1, 1, 2, 3])
        padding = pick([0, 1, 2, "same"] if stride == 1 else [0, 1, 2])
        mode = pick(["zeros", "zeros", "reflect", "circular", "replicate"])
        window = (pick(KERNELS), stride, padding, pick([1, 1, 2, 5]))
        return nn.Conv2d(channels, out_channels, *window, groups, padding_mode=mode)
    if kind == "transposed":
        window = (pick(KERNELS), pick([1, 2, 3]), pick([0, 1, 3]), pick([0, 0, 1, 2]))
        return nn.ConvTranspose2d(channels, out_channels, *window, dilation=pick([1, 2]))
    if kind in ("max", "average"):
        window = (pick(KERNELS), pick([None, 1, 2]), pick([0, 0, 1, 2]))
        if kind == "average":
            return nn.AvgPool2d(*window, ceil_mode=pick([False, True]))
        return nn.MaxPool2d(*window, pick([1, 1, 2]), ceil_mode=pick([False, True]))
    if kind == "norm":
        return pick([nn.BatchNorm2d, nn.BatchNorm2d, nn.BatchNorm1d])(channels)
    linear = nn.Linear(pick([channels, 16, 32, 48, 64]), out_channels)
    return linear if kind == "linear" else pick([nn.Flatten(), nn.ReLU(), nn.AdaptiveAvgPool2d(2)])


def any_input(rng):
    sizes = [1, 2, 3, 4, 7, 8, 16, 32]
    shape = [rng.choice([1, 1, 2, 3]), rng.choice([1, 2, 3, 4, 6, 8]), *rng.choices(sizes, k=2)]
    if rng.random() < 0.15:
        shape = shape[rng.choice([1, 2]) :]
    elif rng.random() < 0.15:
        shape = [shape[0], *shape[2:], shape[1]]
    dtypes = [torch.uint8, torch.int64, torch.float64, torch.float16]
    return torch.ones(shape).to(rng.choice([*dtypes, *[torch.float32] * 20]))


def depends_on_backend(found):
    return found.ok is None and found.cause == "empty_output"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.filterwarnings("ignore")
def test_an_explanation_agrees_with_the_call(seed):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    recognized = failing = 0
    for _ in range(100):
        model = nn.Sequential(*(any_layer(rng) for _ in range(rng.choice([1, 1, 2, 3, 4]))))
        x = any_input(rng)
        found = explain(model, x)
        try:
            with explaining():
                output = model(x)
        except Exception as error:
            (note,) = error.__notes__
            first = f"convlab: [{found.cause}] {found.layer} ({found.layer_class})"
            assert note.startswith(first) or depends_on_backend(found)
            failing += 1
            assert found.ok is False or depends_on_backend(found), (model, x.shape, x.dtype)
            recognized += found.cause != "unknown"
            for fix in found.fixes:
                if fix.apply:
                    mended, inputs = fix.apply(model, (x,))
                    mended(*inputs)
        else:
            if not depends_on_backend(found):
                assert found.ok, (model, x.shape, found)
                assert found.output_shape == tuple(output.shape)
    assert failing > 50
    assert recognized > 0.9 * failing


def good_layer(rng, channels, size):
    """Return a layer that takes maps of this shape, and how it can be broken, by cause."""
    pick = rng.choice
    out_channels, kernel, dilation = pick([2, 4, 6, 8]), pick([1, 2, 3]), pick([1, 1, 2])
    wrong = channels + pick([1, 5])
    large = max(size) + 3
    kind = pick(["conv", "transposed", "max", "average", "norm"])
    if kind == "conv":
        mode = pick(["zeros", "reflect"])
        options = {"dilation": dilation, "padding": dilation, "padding_mode": mode}
        return nn.Conv2d(channels, out_channels, kernel, **options), {
            "channels": nn.Conv2d(wrong, out_channels, kernel, **options),
            "kernel_larger_than_input": nn.Conv2d(channels, out_channels, 3, dilation=large),
            "padding_mode_too_large": nn.Conv2d(
                channels, out_channels, 3, padding=large, padding_mode="reflect"
            ),
            "not_an_integer": nn.Conv2d(channels, out_channels, kernel, stride=2.0),
        }
    if kind == "transposed":
        return nn.ConvTranspose2d(channels, out_channels, kernel, pick([1, 2])), {
            "channels": nn.ConvTranspose2d(wrong, out_channels, kernel),
            "transposed_size": nn.ConvTranspose2d(channels, out_channels, 3, output_padding=2),
            "empty_output": nn.ConvTranspose2d(channels, out_channels, 3, padding=large),
        }
    if kind == "norm":
        return nn.BatchNorm2d(channels), {"batchnorm_channels": nn.BatchNorm2d(wrong)}
    pool = nn.MaxPool2d if kind == "max" else nn.AvgPool2d
    return pool(2, stride=1, padding=1), {
        "pool_padding": pool(2, padding=2),
        "kernel_larger_than_input": pool(large),
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_one_fault_of_a_chain_is_found_and_mended(seed):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    for _ in range(75):
        x = torch.randn(2, rng.choice([1, 2, 5]), *rng.choices([8, 9, 12], k=2))
        layers, y, faults = [], x, []
        for position in range(rng.choice([2, 3, 4])):
            layer, broken = good_layer(rng, y.shape[1], y.shape[2:])
            faults += [(position, cause, bad) for cause, bad in broken.items()]
            layers.append(layer)
            y = layer(y)
        position, cause, layers[position] = rng.choice(faults)
        # The layers behind have to fit to the fault's own output once it is mended.
        model = nn.Sequential(*layers[: position + 1])
        found = explain(model, x)
        assert (found.cause, found.layer) == (cause, str(position)), (model, x.shape)
        fix = found.fixes[0]
        assert fix.apply is not None
        assert "; then" not in fix.text  # the named cause alone
        mended, inputs = fix.apply(model, (x,))
        mended(*inputs)
