"""Random small networks made of blocks with the operations of real networks."""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import nn

import convlab.nn


class Block(nn.Module):
    """A function of the input, with the layers and parameters that it uses."""

    def __init__(self, function, **members):
        super().__init__()
        self.function = function
        for name, member in members.items():
            setattr(self, name, member)

    def forward(self, *args, **kwargs):
        return self.function(self, *args, **kwargs)


small = st.integers(1, 3)
pairs = st.tuples(small, small)


@st.composite
def convolutions(draw, channels, layer=nn.Conv2d):
    groups = draw(st.sampled_from([g for g in (1, 2, channels) if channels % g == 0]))
    out = groups * draw(st.integers(1, 2)) if groups < 4 else groups
    kernel, dilation = draw(pairs), draw(pairs)
    if draw(st.booleans()):
        stride, padding = 1, "same"
    else:
        stride, padding = draw(pairs), draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    return layer(channels, out, kernel, stride, padding, dilation, groups)


@st.composite
def poolings(draw, channels):
    kernel, stride, ceil_mode = draw(pairs), draw(pairs), draw(st.booleans())
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    if draw(st.booleans()):
        return nn.MaxPool2d(kernel, stride, padding, draw(pairs), ceil_mode=ceil_mode)
    return nn.AvgPool2d(kernel, stride, padding, ceil_mode, draw(st.booleans()))


@st.composite
def residuals(draw, channels):
    kernel, dilation = draw(pairs), draw(pairs)
    layer = nn.Conv2d(channels, channels, kernel, padding="same", dilation=dilation)
    if draw(st.booleans()):
        return Block(lambda self, x: F.relu(x + self.conv(x)), conv=layer)
    return Block(lambda self, x: self.conv(x).add_(x).relu_(), conv=layer)


@st.composite
def inceptions(draw, channels):
    stride = draw(small)
    branches = {
        f"branch{i}": nn.Conv2d(channels, draw(small), k, stride, k // 2)
        for i, k in enumerate(draw(st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=3)))
    }

    def forward(self, x):
        outputs = [getattr(self, name)(x) for name in branches]
        return torch.cat([*outputs, F.max_pool2d(x, 3, stride, 1)], dim=1)

    return Block(forward, **branches)


@st.composite
def squeezes(draw, channels):
    kernel = draw(st.sampled_from([1, 3]))
    return Block(
        lambda self, x: x * torch.sigmoid(self.fc(F.adaptive_avg_pool2d(x, 1))) + x,
        fc=nn.Conv2d(channels, channels, kernel, padding=kernel // 2),
    )


@st.composite
def down_and_up(draw, channels):
    factor, ceil_mode = draw(st.integers(2, 3)), draw(st.booleans())
    mode = draw(st.sampled_from(["nearest", "nearest-exact"]))

    def forward(self, x):
        low = F.avg_pool2d(x, factor, ceil_mode=ceil_mode)
        return torch.cat([x, F.interpolate(low, size=x.shape[2:], mode=mode)], dim=1)

    return Block(forward)


@st.composite
def upwards(draw, channels):
    kernel, stride, dilation = draw(pairs), draw(pairs), draw(pairs)
    # At most what the kernel adds: a map that was cut has cells of its image beyond its edge.
    padding = tuple(
        draw(st.integers(0, d * (k - 1))) for k, d in zip(kernel, dilation, strict=True)
    )
    return nn.ConvTranspose2d(channels, draw(small), kernel, stride, padding, dilation=dilation)


@st.composite
def shuffles(draw, channels):
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))

    def forward(self, x):
        n, c, h, w = x.shape
        return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)

    return Block(forward)


@st.composite
def channels_last_layers(draw, channels):
    """Draw a linear layer or a normalization over the channels, as in ConvNeXt."""
    layer = draw(st.sampled_from([nn.Linear(channels, channels), nn.LayerNorm(channels)]))
    return Block(lambda self, x: self.fc(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), fc=layer)


@st.composite
def rearrangements(draw, channels):
    kind = draw(st.sampled_from(["flip", "slice", "pad", "tokens", "transpose", "split"]))
    amount = draw(st.integers(0, 2))
    functions = {
        "flip": lambda self, x: x.flip(2),
        "slice": lambda self, x: x[:, :, :: amount + 1],
        "pad": lambda self, x: F.pad(x, (amount, 1, 0, amount)),
        "tokens": lambda self, x: x.flatten(2).transpose(1, 2).mT.unflatten(2, x.shape[2:]),
        "transpose": lambda self, x: x.transpose(2, 3),
        "split": lambda self, x: torch.cat([F.relu(half) for half in x.chunk(2, dim=2)], dim=2),
    }
    return Block(functions[kind])


@st.composite
def rolls(draw, channels):
    shifts = draw(st.tuples(st.integers(-2, 2), st.integers(-2, 2)))
    return Block(lambda self, x: x.roll(shifts, (2, 3)))


@st.composite
def repetitions(draw, channels):
    """Draw a repetition of cells or of the whole map."""
    n, dim = draw(st.integers(1, 3)), draw(st.integers(2, 3))
    functions = [
        lambda self, x: x.repeat_interleave(n, dim),
        lambda self, x: x.unsqueeze(dim + 1).expand(*x.shape[: dim + 1], n, *x.shape[dim + 1 :])
        .flatten(dim, dim + 1),
        lambda self, x: x.tile(n, 1),
        lambda self, x: torch.stack([x] * n, dim).flatten(dim, dim + 1),
        lambda self, x: torch.cat([x, x.mean(dim, keepdim=True)], dim),
    ]  # fmt: skip
    return Block(draw(st.sampled_from(functions)))


@st.composite
def selections(draw, channels):
    """Draw a choice of rows or columns, in any order."""
    dim, start = draw(st.integers(2, 3)), draw(st.integers(0, 2))
    indices = torch.tensor(draw(st.lists(st.integers(-3, 2), min_size=3, max_size=6)))
    functions = [
        lambda self, x: x.index_select(dim, indices % 3),
        lambda self, x: x[:, :, indices],
        lambda self, x: x[:, :, start::2, :-1:2],
        lambda self, x: torch.stack(x.unbind(dim)[::-1], dim),
        lambda self, x: torch.stack([x.select(dim, i) for i in indices], dim),
        lambda self, x: torch.cat(x.split(2, dim)[::-1], dim),
        lambda self, x: x.narrow(dim, start, x.shape[dim] - start).movedim(1, -1).movedim(-1, 1),
    ]
    return Block(draw(st.sampled_from(functions)))


@st.composite
def spreads(draw, channels):
    """Draw an operation in which every output depends on whole rows, columns or maps."""
    dim = draw(st.integers(2, 3))
    functions = [
        lambda self, x: torch.fft.fft(x, dim=dim).abs() + x,
        lambda self, x: torch.fft.irfft2(torch.fft.rfft2(x), s=x.shape[2:]),
        lambda self, x: x.softmax(dim),
        lambda self, x: (x - x.mean(dim, keepdim=True)) / (x.std(dim, keepdim=True) + 1),
        lambda self, x: x.sort(dim).values,
        lambda self, x: F.linear(x, x.new_ones(4, x.shape[3])),
    ]
    return Block(draw(st.sampled_from(functions)))


@st.composite
def pixel_shuffles(draw, channels):
    """Draw an exchange of channels and cells, or a gated linear unit."""
    factor, dim = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    functions = [
        lambda self, x: F.pixel_shuffle(x.repeat(1, factor**2, 1, 1), factor),
        # A shuffle would read only some of the channels, each of which holds other cells.
        lambda self, x: (
            F.pixel_unshuffle(x, factor).sum(1, keepdim=True) + x.new_zeros(x.shape[1], 1, 1)
        ),
        lambda self, x: F.glu(x, dim),
    ]
    return Block(draw(st.sampled_from(functions)))


@st.composite
def elementwise_layers(draw, channels):
    return draw(
        st.sampled_from(
            [
                nn.BatchNorm2d(channels), nn.ReLU(), nn.GELU(), nn.Dropout(), nn.Sigmoid(),
                nn.Softmax(dim=1), nn.LocalResponseNorm(2), nn.Hardtanh(), nn.SiLU(inplace=True),
            ]
        )
    )  # fmt: skip


@st.composite
def adaptive_poolings(draw, channels):
    """Draw an adaptive pooling."""
    out = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    return draw(st.sampled_from([nn.AdaptiveAvgPool2d(out), nn.AdaptiveMaxPool2d(out)]))


@st.composite
def attentions(draw, channels):
    """Draw self-attention over all positions, by matrices or by the function of PyTorch."""

    def forward(self, x):
        tokens = self.norm(x.flatten(2).transpose(1, 2))
        weights = (self.query(tokens) @ tokens.mT).softmax(dim=-1)
        return (weights @ tokens).mT.unflatten(2, x.shape[2:])

    def rows(self, x):
        rows = x.permute(0, 2, 3, 1)  # each row of pixels by itself
        rows = F.scaled_dot_product_attention(self.query(rows), rows, rows)
        return x + rows.permute(0, 3, 1, 2)

    return Block(
        draw(st.sampled_from([forward, rows])),
        norm=nn.LayerNorm(channels),
        query=nn.Linear(channels, channels),
    )


@st.composite
def convlab_convolutions(draw, channels):
    return draw(convolutions(channels, layer=convlab.nn.Conv2d))


KINDS = {
    "convolution": convolutions, "pooling": poolings, "residual": residuals,
    "inception": inceptions, "squeeze": squeezes, "down and up": down_and_up, "up": upwards,
    "shuffle": shuffles, "linear": channels_last_layers, "movement": rearrangements,
    "elementwise": elementwise_layers, "adaptive": adaptive_poolings,
    "convlab": convlab_convolutions, "attention": attentions, "roll": rolls,
    "repetition": repetitions, "selection": selections, "spread": spreads,
    "pixel shuffle": pixel_shuffles,
}  # fmt: skip
# The operations of these blocks have no rule: their fields are unknown.
WITHOUT_RULE = {"attention"}


@st.composite
def networks(draw, kinds=tuple(KINDS), most=4):
    """Draw a network, the channels of its input, and height and width.

    The blocks are named by their number and their kind, such as ``"0 pooling"``.
    """
    channels = first = draw(st.integers(1, 4))
    size = draw(st.integers(3, 14)), draw(st.integers(3, 14))
    x = torch.ones(1, channels, *size)
    blocks = {}
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=most)):
        block = draw(KINDS[kind](channels)).eval()
        try:
            with torch.no_grad():
                y = block(x)
        except (RuntimeError, ValueError, IndexError):
            continue  # the window no longer fits
        if y.numel() == 0 or y.numel() > 20000:
            continue
        blocks[f"{len(blocks)} {kind}"] = block
        x, channels = y.clone(), y.shape[1]
        if min(y.shape[2:]) < 3:
            break  # windows would soon read only padding
    return nn.Sequential(OrderedDict(blocks)), first, size
