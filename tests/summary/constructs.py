"""Parts of networks as their authors write them: names, and models that take 4 channels, 8x8."""

import copy
import dataclasses
import warnings
from collections import namedtuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, parametrize
from torch.utils.checkpoint import checkpoint

from tests.summary.networks import Block

# From a name to a function that builds a model; those of which the field after the model is known
# exactly are apart from those that may give None.
EXACT, OTHERS = {}, {}


def exact(function):
    EXACT[function.__name__] = function
    return function


def other(function):
    OTHERS[function.__name__] = function
    return function


def add(table, **functions):
    for name, function in functions.items():
        table[name] = lambda function=function: Block(lambda self, x: function(x))


def conv(a=4, b=4, k=3, **options):
    return nn.Conv2d(a, b, k, **{"padding": k // 2} | options)


# Layers that share parameters, or have them changed.


@exact
def the_same_layer_twice():
    return Block(lambda self, x: self.conv(F.relu(self.conv(x))), conv=conv())


@exact
def one_parameter_in_two_layers():
    model = nn.Sequential(conv(), nn.ReLU(), conv())
    model[2].weight = model[0].weight
    return model


@exact
def one_norm_after_two_layers():
    return Block(
        lambda self, x: self.norm(self.a(x)) + self.norm(self.b(x)),
        a=conv(), b=conv(k=5), norm=nn.BatchNorm2d(4),
    )  # fmt: skip


@exact
def transposed_tied_weights():
    return Block(lambda self, x: F.conv_transpose2d(self.a(x), self.a.weight), a=conv(padding=0))


@exact
def stochastic_depth():
    def drop_path(x, rate, training):
        if not training:
            return x
        shape = (x.shape[0],) + (1,) * (x.dim() - 1)
        return x * x.new_empty(shape).bernoulli_(1 - rate) / (1 - rate)

    return Block(lambda self, x: x + drop_path(self.conv(x), 0.5, self.training), conv=conv())


class Lora(nn.Conv2d):
    """A convolution with an update of low rank, which evaluation mode merges into the weight."""

    def __init__(self, merge):
        super().__init__(4, 4, 3, padding=1)
        self.down = nn.Parameter(torch.randn(6, 12))
        self.up = nn.Parameter(torch.randn(12, 6))
        self.merge, self.merged = merge, False

    def update(self):
        return (self.up @ self.down).view(self.weight.shape)

    def train(self, mode=True):
        super().train(mode)
        if self.merge and mode == self.merged:
            self.weight.data += -self.update() if mode else self.update()
            self.merged = not mode
        return self

    def forward(self, x):
        weight = self.weight if self.merged else self.weight + self.update()
        return self._conv_forward(x, weight, self.bias)


@exact
def lora():
    return Lora(merge=False)


@exact
def merging_lora():
    return Lora(merge=True)


@exact
def linear_lora_on_tokens():
    return Block(
        lambda self, x: self.fc(x.flatten(2).mT) + self.b(self.a(x.flatten(2).mT)) * 0.5,
        fc=nn.Linear(4, 4), a=nn.Linear(4, 2, bias=False), b=nn.Linear(2, 4, bias=False),
    )  # fmt: skip


@exact
def parametrized():
    class Symmetric(nn.Module):
        def forward(self, weight):
            return weight + weight.flip(-1)

    layer = conv()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    return layer


@exact
def weight_norm():
    return parametrizations.weight_norm(conv())


@exact
def spectral_norm():
    return parametrizations.spectral_norm(conv())


@exact
def old_weight_norm():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return nn.utils.weight_norm(conv())


@exact
def standardized_weights():
    def forward(self, x):
        w = self.conv.weight
        mean, var = w.mean((1, 2, 3), keepdim=True), w.var((1, 2, 3), keepdim=True)
        return F.conv2d(x, (w - mean) / (var + 1e-5).sqrt(), self.conv.bias, padding=1)

    return Block(forward, conv=conv())


@exact
def weights_from_a_learned_code():
    def forward(self, x):
        weight = self.generate(self.code).view(4, 4, 3, 3)
        return F.conv2d(x, weight, padding=1)

    return Block(forward, code=nn.Parameter(torch.randn(5)), generate=nn.Linear(5, 144))


@exact
def masked_convolution():
    def forward(self, x):
        mask = torch.ones_like(self.conv.weight)
        mask[:, :, 2:] = 0
        return F.conv2d(x, self.conv.weight * mask, self.conv.bias, padding=1)

    return Block(forward, conv=conv())


# Weights that depend on the image.


@exact
def weights_from_the_image():
    def forward(self, x):
        weight = self.generate(x.mean((2, 3))).view(4, 4, 3, 3)
        return F.conv2d(x, weight, padding=1)

    return Block(forward, generate=nn.Linear(4, 144))


@exact
def weights_from_a_crop():
    """Siamese tracking: a part of the image is the kernel."""
    return Block(lambda self, x: F.conv2d(x, x[:, :, 2:5, 3:6]))


@exact
def condconv():
    def forward(self, x):
        n, c, h, w = x.shape
        routing = torch.sigmoid(self.route(F.adaptive_avg_pool2d(x, 1).flatten(1)))
        weight = (routing @ self.experts).view(n * 4, c, 3, 3)
        return F.conv2d(x.reshape(1, n * c, h, w), weight, padding=1, groups=n).view(n, 4, h, w)

    return Block(forward, route=nn.Linear(4, 3), experts=nn.Parameter(torch.randn(3, 144)))


def hypernetwork(set_weight):
    """Give a layer weights that are made from the image."""

    def forward(self, x):
        set_weight(self.conv, self.generate(x.mean((2, 3))).view(4, 4, 3, 3))
        return self.conv(x)

    return Block(forward, generate=nn.Linear(4, 144), conv=conv(bias=False))


def _data(layer, weight):
    layer.weight.data = weight


def _parameter(layer, weight):
    layer.weight = nn.Parameter(weight)


def _copied(layer, weight):
    with torch.no_grad():
        layer.weight.copy_(weight)


def _attribute(layer, weight):
    del layer.weight
    layer.weight = weight


for _set_weight in (_data, _parameter, _copied, _attribute):
    OTHERS[f"hypernetwork{_set_weight.__name__}"] = lambda f=_set_weight: hypernetwork(f)


@exact
def clamped_weights():
    def forward(self, x):
        self.conv.weight.data = self.conv.weight.data.clamp(-0.1, 0.1)
        return self.conv(x)

    return Block(forward, conv=conv())


@other
def two_names_of_a_cache():
    def forward(self, x):
        self.cache.copy_(self.conv(x))
        return self.rows * 2

    model = Block(forward, conv=conv())
    model.register_buffer("cache", torch.zeros(1, 4, 8, 8))
    model.double()
    model.rows = model.cache[:, :, :4]
    return model


@other
def involution():
    def forward(self, x):
        n, c, h, w = x.shape
        kernels = self.make(x).view(n, 1, 1, 9, h, w)
        return (F.unfold(x, 3, padding=1).view(n, 1, c, 9, h, w) * kernels).sum(3).view(n, c, h, w)

    return Block(forward, make=conv(4, 9, 1))


@other
def deformable():
    from torchvision.ops import deform_conv2d

    return Block(
        lambda self, x: deform_conv2d(x, self.offset(x), self.conv.weight, padding=1),
        offset=conv(4, 18), conv=conv(),
    )  # fmt: skip


@exact
def squeeze_excite():
    return Block(
        lambda self, x: x * self.b(F.relu(self.a(x.mean((2, 3), keepdim=True)))).sigmoid(),
        a=conv(4, 2, 1), b=conv(2, 4, 1),
    )  # fmt: skip


@exact
def efficient_channel_attention():
    def forward(self, x):
        y = F.adaptive_avg_pool2d(x, 1)
        y = self.conv(y.squeeze(-1).transpose(-1, -2)).transpose(-1, -2).unsqueeze(-1)
        return x * y.sigmoid().expand_as(x)

    return Block(forward, conv=nn.Conv1d(1, 1, 3, padding=1))


@exact
def cbam():
    def forward(self, x):
        gates = [self.fc(x.mean((2, 3))), self.fc(x.amax((2, 3)))]
        x = x * sum(gates).sigmoid()[..., None, None]
        maps = torch.cat([x.max(1)[0].unsqueeze(1), x.mean(1).unsqueeze(1)], dim=1)
        return x * self.conv(maps).sigmoid()

    return Block(forward, fc=nn.Linear(4, 4), conv=conv(2, 1, 7))


@exact
def coordinate_attention():
    def forward(self, x):
        h, w = x.shape[2:]
        y = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], 2)
        a, b = self.conv(y).split([h, w], dim=2)
        return x * a.sigmoid() * b.transpose(2, 3).sigmoid()

    return Block(forward, conv=conv(k=1))


@exact
def global_response_norm():
    def forward(self, x):
        g = torch.norm(x, p=2, dim=(2, 3), keepdim=True)
        return self.gain * (x * g / (g.mean(1, keepdim=True) + 1e-6)) + x

    return Block(forward, gain=nn.Parameter(torch.ones(1, 4, 1, 1)))


@other
def non_local():
    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = (f(x).flatten(2) for f in (self.q, self.k, self.v))
        return x + ((q.mT @ k).softmax(-1) @ v.mT).mT.reshape(n, c, h, w)

    return Block(forward, q=conv(k=1), k=conv(k=1), v=conv(k=1))


@other
def linear_attention():
    def forward(self, x):
        q, k, v = self.qkv(x).flatten(2).chunk(3, dim=1)
        context = torch.einsum("bdn,ben->bde", k.softmax(-1), v)
        return torch.einsum("bde,bdn->ben", context, q.softmax(1)).view_as(x)

    return Block(forward, qkv=conv(4, 12, 1))


@other
def channel_attention():
    """Attention between channels, as in XCiT."""

    def forward(self, x):
        q, k, v = self.qkv(x).flatten(2).chunk(3, dim=1)
        return ((F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).mT).softmax(-1) @ v).view_as(x)

    return Block(forward, qkv=conv(4, 12, 1))


# Positions, tokens, windows.


@exact
def added_positions():
    def forward(self, x):
        tokens = self.patches(x).flatten(2).mT
        return self.fc(tokens + self.positions)

    return Block(
        forward, patches=conv(k=2, stride=2, padding=0), fc=nn.Linear(4, 3),
        positions=nn.Parameter(torch.randn(1, 16, 4)),
    )  # fmt: skip


@exact
def interpolated_positions():
    def forward(self, x):
        p = F.interpolate(self.positions, size=x.shape[2:], mode="bicubic", align_corners=False)
        return self.conv(x + p.expand_as(x))

    return Block(forward, conv=conv(), positions=nn.Parameter(torch.randn(1, 4, 3, 3)))


@exact
def row_and_column_positions():
    def forward(self, x):
        h, w = x.shape[2:]
        rows = self.rows(torch.arange(h)).unsqueeze(1).expand(h, w, 2)
        columns = self.columns(torch.arange(w)).unsqueeze(0).expand(h, w, 2)
        return self.conv(x + torch.cat([rows, columns], -1).permute(2, 0, 1))

    return Block(forward, conv=conv(), rows=nn.Embedding(9, 2), columns=nn.Embedding(9, 2))


@other
def class_token():
    def forward(self, x):
        tokens = x.flatten(2).mT
        tokens = torch.cat([self.token.expand(x.shape[0], -1, -1), tokens], dim=1)
        return self.fc(tokens + self.positions)

    return Block(
        forward, fc=nn.Linear(4, 3), token=nn.Parameter(torch.randn(1, 1, 4)),
        positions=nn.Parameter(torch.randn(1, 65, 4)),
    )  # fmt: skip


@other
def class_token_dropped():
    def forward(self, x):
        tokens = torch.cat([self.token, x.flatten(2).mT], dim=1)
        return self.conv(tokens[:, 1:].mT.reshape(x.shape))

    return Block(forward, token=nn.Parameter(torch.randn(1, 1, 4)), conv=conv())


@other
def transformer_encoder():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    return Block(lambda self, x: self.layer(x.flatten(2).mT).mT.view_as(x), layer=layer)


@other
def transformer_over_rows_of_a_batch():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)

    def forward(self, x):
        n, c, h, w = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(n * h, w, c)
        return self.layer(rows).view(n, h, w, c).permute(0, 3, 1, 2)

    return Block(forward, layer=layer)


@other
def multihead_attention():
    def forward(self, x):
        tokens = x.flatten(2).mT
        return self.attention(tokens, tokens, tokens, need_weights=False)[0]

    return Block(forward, attention=nn.MultiheadAttention(4, 2, batch_first=True))


@other
def windows_and_back():
    def forward(self, x):
        n, c, h, w = x.shape
        x = x.permute(0, 2, 3, 1).view(n, h // 4, 4, w // 4, 4, c)
        windows = x.permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, c)
        windows = self.mix(windows.mT).mT
        x = windows.view(n, h // 4, w // 4, 4, 4, c).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(n, h, w, c).permute(0, 3, 1, 2)

    return Block(forward, mix=nn.Linear(16, 16))


@other
def shifted_windows():
    def forward(self, x):
        x = torch.roll(x, (-2, -2), (2, 3))
        x = F.unfold(x, 4, stride=4).view(1, 4, 16, 4).transpose(2, 3)
        x = self.mix(x).transpose(2, 3).reshape(1, 64, 4)
        return torch.roll(F.fold(x, (8, 8), 4, stride=4), (2, 2), (2, 3))

    return Block(forward, mix=nn.Linear(16, 16))


@other
def patches_by_reshape():
    def forward(self, x):
        n, c, h, w = x.shape
        x = x.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 1, 3, 5)
        return self.fc(x.reshape(n, -1, c * 16))

    return Block(forward, fc=nn.Linear(64, 8))


@exact
def patch_merging():
    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        parts = [x[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
        return self.fc(torch.cat(parts, -1)).permute(0, 3, 1, 2)

    return Block(forward, fc=nn.Linear(16, 8, bias=False))


@exact
def mlp_mixer():
    def forward(self, x):
        tokens = self.patches(x).flatten(2)
        tokens = tokens + self.mix(tokens)
        return tokens.mT + self.fc(tokens.mT)

    return Block(forward, patches=conv(k=2, stride=2), mix=nn.Linear(25, 25), fc=nn.Linear(4, 4))


@other
def mobile_vit_unfold():
    def forward(self, x):
        n, c, h, w = x.shape
        x = x.reshape(n * c * h // 2, 2, w // 2, 2).transpose(1, 2)
        x = x.reshape(n, c, h * w // 4, 4).transpose(1, 3)
        x = self.fc(x).transpose(1, 3).reshape(n * c * h // 2, w // 2, 2, 2)
        return x.transpose(1, 2).reshape(n, c, h, w)

    return Block(forward, fc=nn.Linear(4, 4))


add(
    OTHERS,
    pixel_shuffle=lambda x: F.pixel_shuffle(x, 2),
    pixel_unshuffle=lambda x: F.pixel_unshuffle(x, 2),
    space_to_depth=lambda x: (
        x.view(1, 4, 4, 2, 4, 2).permute(0, 3, 5, 1, 2, 4).reshape(1, 16, 4, 4)
    ),
    depth_to_space=lambda x: (
        x.view(1, 2, 2, 1, 8, 8).permute(0, 3, 4, 1, 5, 2).reshape(1, 1, 16, 16)
    ),
    fourier=lambda x: torch.fft.fft(torch.fft.fft(x.flatten(2).mT, dim=-1), dim=-2).real,
    fourier_filter=lambda x: torch.fft.irfft2(torch.fft.rfft2(x) * 2),
    cumulative=lambda x: x.cumsum(-1),
    sorted_rows=lambda x: x.sort(2)[0],
    top_rows=lambda x: x.topk(3, dim=2)[0],
    rolled=lambda x: x.roll(1, 2),
    rotated=lambda x: x.rot90(1, (2, 3)),
    turned_and_averaged=lambda x: sum(x.rot90(k, (2, 3)) for k in range(4)) / 4,
    symmetric=lambda x: (x + x.mT) / 2,
    indexed=lambda x: x[:, :, torch.tensor([0, 2, 4])],
    index_selected=lambda x: x.index_select(3, torch.tensor([1, 1, 5])),
    gathered=lambda x: x.gather(2, torch.zeros(1, 4, 2, 8, dtype=torch.long)),
    taken=lambda x: x.take(torch.arange(20)),
    windows_by_unfold=lambda x: x.unfold(2, 3, 1).unfold(3, 3, 1).amax((-1, -2)),
    windows_by_strides=lambda x: x.as_strided((1, 4, 6, 8, 3), (256, 64, 8, 1, 8)).mean(-1),
    diagonal=lambda x: x.diagonal(dim1=2, dim2=3),
    triangle=lambda x: x.tril(),
    outer=lambda x: torch.einsum("bchw,bdhw->bcd", x, x),
    gram=lambda x: x.flatten(2) @ x.flatten(2).mT,
    rows_times_columns=lambda x: x @ x.mT,
    folded=lambda x: F.fold(F.unfold(x, 3, padding=1), (8, 8), 3, padding=1),
    sampled=lambda x: F.grid_sample(x, x.new_zeros(1, 4, 4, 2), align_corners=False),
    warped=lambda x: F.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), align_corners=False),
    bicubic=lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"),
    antialiased=lambda x: F.interpolate(x, size=3, mode="bilinear", antialias=True),
    chunks_swapped=lambda x: torch.cat(x.chunk(2, 2)[::-1], 2),
    meshed=lambda x: x + sum(torch.meshgrid(x[0, 0, 0], x[0, 0, 0], indexing="ij")),
    scattered=lambda x: torch.zeros_like(x).scatter(2, torch.ones_like(x).long(), x),
    index_added=lambda x: torch.zeros_like(x).index_add(2, torch.tensor([0] * 8), x),
    kth=lambda x: x.kthvalue(2, dim=2)[0],
    lse=lambda x: x.logsumexp((2, 3), keepdim=True) + x,
    view_of_real=lambda x: torch.view_as_real(torch.complex(x, x)).flatten(3),
    cross=lambda x: torch.linalg.cross(x[..., :3], x[..., 3:6]),
    bucketed=lambda x: torch.bucketize(x, x.new_tensor([0.0, 1.0])) * 1.0,
    half_masked=lambda x: x.masked_select(x > 0),
    quantile=lambda x: x.quantile(0.5, dim=2),
    unique=lambda x: x.unique(),
    nonzero=lambda x: x.nonzero(),
    fancy_write=lambda x: torch.zeros_like(x).index_put((torch.tensor([0]),), x),
    one_hot=lambda x: F.one_hot(x.argmax(1), 4).permute(0, 3, 1, 2) * 1.0,
    shuffled_rows=lambda x: F.channel_shuffle(x.transpose(1, 2), 2),
    halves_of_numbers=lambda x: x.float().view(torch.int16) * 1.0,
    deep_copy=lambda x: copy.deepcopy(x.detach()).flip(2) * 2,
    read_as_array=lambda x: torch.from_numpy(x.detach().numpy()[:, :, ::-1].copy()) * 2,
    read_as_list=lambda x: x * torch.tensor(x[0, 0, 0].tolist(), dtype=x.dtype),
    normed_by_item=lambda x: x / x.norm().item(),
    shape_from_data=lambda x: x[:, :, : int(x.argmax()) % 3 + 1] * 1,
    median=lambda x: x - x.median(),
    lerp=lambda x: torch.lerp(x, x.flip(2), x.mean()),
    rms=lambda x: F.rms_norm(x, (8,)),
    layer_norm=lambda x: F.layer_norm(x, (4, 8, 8)),
    instance_norm=F.instance_norm,
    cosine=lambda x: F.cosine_similarity(x, x.flip(2), dim=1),
    distances=lambda x: torch.cdist(x.flatten(2), x.flatten(2)),
    glu=lambda x: F.glu(x, 1),
    glu_along_height=lambda x: F.glu(x, 2),
    maxout=lambda x: x.view(1, 2, 2, 8, 8).amax(2),
    max_unpool=lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2),
    lp_pool=lambda x: F.lp_pool2d(x, 2, 3),
    fractional=lambda x: F.fractional_max_pool2d(x, 2, 3),
    difference=lambda x: x.diff(dim=2),
    convolved_with_itself=lambda x: F.conv2d(x.transpose(0, 1), x[:, :1], padding=2),
    batch_as_height=lambda x: x.permute(2, 1, 0, 3).flatten(3),
    flattened_everything=lambda x: x.flatten().unflatten(0, (16, 16)),
    flattened_pairs=lambda x: x.view(1, 4, 32, 2).sum(-1),
    cut_across_rows=lambda x: x.flatten(2)[..., 3:51].reshape(1, 4, 6, 8),
    swapped_batch=lambda x: x.transpose(0, 2).reshape(1, 4, 8, 8),
    softmax_over_rows=lambda x: x.softmax(2) + x.log_softmax(3),
    soft_argmax=lambda x: (x.flatten(2).softmax(-1) * torch.arange(64)).sum(-1),
    trace=lambda x: x[0, 0].trace() + x,
    inverse=torch.linalg.inv,
    cholesky=lambda x: torch.linalg.qr(x)[0],
    kron=lambda x: torch.kron(x, torch.ones(1, 1, 2, 2, dtype=x.dtype)),
    block_diagonal=lambda x: torch.block_diag(x[0, 0], x[0, 1]),
    tensordot=lambda x: torch.tensordot(x, torch.ones(8, 5, dtype=x.dtype), dims=1),
    stacked_rows=lambda x: torch.stack(x.unbind(2), 2),
    stacked_reversed=lambda x: torch.stack(x.unbind(2)[::-1], 2),
    nested_tensor_split=lambda x: torch.cat([y.relu() for y in x.tensor_split(3, 2)], 2),
    movedim=lambda x: x.movedim(2, 0).swapaxes(0, 3).movedim(3, 2),
    random_noise=lambda x: x + torch.randn_like(x) * x.std(),
    complex_product=lambda x: (torch.fft.rfft(x) * torch.fft.rfft(x.flip(3)).conj()).abs(),
    real_part_written=lambda x: torch.complex(x, x).real.mul_(2),
)  # fmt: skip

add(
    EXACT,
    haar=lambda x: F.conv2d(x, torch.ones(16, 1, 2, 2, dtype=x.dtype), stride=2, groups=4),
    repeat_interleave=lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3),
    expanded=lambda x: (
        x[:, :, :, None, :, None].expand(-1, -1, -1, 2, -1, 2).reshape(1, 4, 16, 16)
    ),
    tiled=lambda x: x.tile(2, 2),
    strided_slice=lambda x: F.avg_pool2d(x, 3, 1, 1)[:, :, ::2, 1::2],
    reversed_slices=lambda x: F.avg_pool2d(x, 3, 1, 1)[:, :, -3:, :-2],
    flipped_and_averaged=lambda x: (F.avg_pool2d(x, 3, 1) + F.avg_pool2d(x.flip(3), 3, 1).flip(3)),
    where=lambda x: torch.where(x > 0, F.max_pool2d(x, 3, 1, 1), x),
    masked_fill=lambda x: F.max_pool2d(x, 3, 1, 1).masked_fill(x < 0, 0.5),
    einsum_1x1=lambda x: torch.einsum("bchw,dc->bdhw", x, torch.ones(5, 4, dtype=x.dtype)),
    einsum_sum=lambda x: torch.einsum("bchw->bh", x),
    two_scales=lambda x: x + F.interpolate(F.avg_pool2d(x, 2), scale_factor=2),
    bilinear_up=lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    tv=lambda x: (x[:, :, 1:] - x[:, :, :-1]).abs(),
    ghost=lambda x: torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], 1)[:, :6],
    instance_norm_by_hand=lambda x: (x - x.mean((2, 3), True)) / x.std((2, 3), keepdim=True),
    local_contrast=lambda x: x / (F.avg_pool2d(x.square(), 3, 1, 1).sqrt() + 1),
)  # fmt: skip


# Architectures.


@exact
def u_net():
    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        up = F.interpolate(b, size=a.shape[2:], mode="bilinear", align_corners=False)
        return self.c(torch.cat([a, up], 1))

    return Block(forward, a=conv(), b=conv(), c=conv(8, 4))


@exact
def u_net_with_crop():
    def forward(self, x):
        a = self.a(x)  # 6
        up = self.up(self.b(F.max_pool2d(a, 2)))  # 3, 1, 2
        return torch.cat([up, a[:, :, 2:4, 2:4]], 1)

    up = nn.ConvTranspose2d(4, 4, 2, 2)
    return Block(forward, a=conv(padding=0), b=conv(padding=0), up=up)


@exact
def feature_pyramid():
    def forward(self, x):
        low = self.b(F.max_pool2d(x, 2))
        return self.out(self.a(x) + F.interpolate(low, size=x.shape[-2:], mode="nearest"))

    return Block(forward, a=conv(k=1), b=conv(k=1), out=conv())


@exact
def aspp():
    def forward(self, x):
        pooled = F.relu(self.pool(F.adaptive_avg_pool2d(x, 1)))
        up = F.interpolate(pooled, size=x.shape[-2:], mode="bilinear", align_corners=False)
        return torch.cat([self.a(x), self.b(x), up], 1)

    return Block(forward, pool=conv(k=1), a=conv(k=1), b=conv(dilation=2, padding=2))


@exact
def high_resolution_fusion():
    def forward(self, x):
        low = self.down(x)
        return F.relu(x + F.interpolate(self.up(low), scale_factor=2)), F.relu(low + self.down(x))

    return Block(forward, down=conv(stride=2), up=conv(k=1))


@exact
def dense_block():
    def forward(self, x):
        features = [x]
        for layer in (self.a, self.b):
            features.append(layer(torch.cat(features, 1)))
        return torch.cat(features, 1)

    return Block(forward, a=conv(4, 2), b=conv(6, 2))


@other
def split_and_shuffle():
    def forward(self, x):
        a, b = x.chunk(2, dim=1)
        y = torch.cat([a, self.conv(b)], 1)
        y = y.view(1, 2, 2, 8, 8).transpose(1, 2).contiguous().view(1, 4, 8, 8)
        return self.conv(y.chunk(2, dim=1)[0])

    return Block(forward, conv=conv(2, 2))


@exact
def rep_vgg():
    return Block(
        lambda self, x: F.relu(self.a(x) + self.b(x) + self.norm(x)),
        a=nn.Sequential(conv(), nn.BatchNorm2d(4)), b=conv(k=1), norm=nn.BatchNorm2d(4),
    )  # fmt: skip


@exact
def conv_next():
    def forward(self, x):
        y = self.norm(self.conv(x).permute(0, 2, 3, 1))
        y = self.scale * self.b(F.gelu(self.a(y)))
        return x + y.permute(0, 3, 1, 2)

    return Block(
        forward, conv=conv(k=7, groups=4), norm=nn.LayerNorm(4), a=nn.Linear(4, 8),
        b=nn.Linear(8, 4), scale=nn.Parameter(torch.full((4,), 1e-6)),
    )  # fmt: skip


@exact
def channels_first_norm():
    def forward(self, x):
        u = x.mean(1, keepdim=True)
        s = (x - u).pow(2).mean(1, keepdim=True)
        return self.weight[:, None, None] * ((x - u) / torch.sqrt(s + 1e-6))

    return nn.Sequential(conv(), Block(forward, weight=nn.Parameter(torch.ones(4))))


@exact
def coordinate_channels():
    def forward(self, x):
        n, _, h, w = x.shape
        ys = torch.linspace(-1, 1, h).to(x).view(1, 1, h, 1).expand(n, 1, h, w)
        xs = torch.linspace(-1, 1, w).to(x).view(1, 1, 1, w).expand(n, 1, h, w)
        return self.conv(torch.cat([x, xs, ys], 1))

    return Block(forward, conv=conv(6, 4))


@other
def layer_over_the_flattened_map():
    return Block(lambda self, x: self.conv(x.flatten(2)), conv=nn.Conv1d(4, 4, 3, padding=1))


@other
def layer_over_each_row():
    def forward(self, x):
        n, c, h, w = x.shape
        rows = x.permute(0, 2, 1, 3).reshape(n * h, c, w)
        return self.conv(rows).view(n, h, 4, w).permute(0, 2, 1, 3)

    return Block(forward, conv=nn.Conv1d(4, 4, 3, padding=1))


@exact
def height_as_channels():
    return Block(lambda self, x: self.conv(x.transpose(1, 2)), conv=conv(8, 8))


@other
def recurrent_over_rows():
    def forward(self, x):
        return self.lstm(x.mean(1))[0]

    return Block(forward, lstm=nn.LSTM(8, 5, batch_first=True, bidirectional=True))


@other
def gated_over_columns():
    def forward(self, x):
        return self.gru(x.permute(3, 0, 1, 2).flatten(2))[0]

    return Block(forward, gru=nn.GRU(32, 5))


@other
def recurrent_cell():
    def forward(self, x):
        state = x.new_zeros(8, 4)
        for row in x[0].permute(1, 2, 0):
            state = self.cell(row, state)
        return state

    return Block(forward, cell=nn.GRUCell(4, 4))


# Experts and codes.


@other
def dense_experts():
    def forward(self, x):
        tokens = x.flatten(2).mT
        gates = self.gate(tokens).softmax(-1)
        outputs = torch.stack([expert(tokens) for expert in self.experts], -1)
        return (outputs * gates.unsqueeze(2)).sum(-1)

    experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    return Block(forward, gate=nn.Linear(4, 3), experts=experts)


@other
def routed_experts():
    def forward(self, x):
        tokens = x.flatten(2).mT.flatten(0, 1)
        weights, chosen = self.gate(tokens).softmax(-1).topk(2, dim=-1)
        result = torch.zeros_like(tokens)
        for i, expert in enumerate(self.experts):
            index, place = torch.where(chosen == i)
            result.index_add_(0, index, expert(tokens[index]) * weights[index, place, None])
        return result.view(1, 64, 4).mT.view_as(x)

    experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    return Block(forward, gate=nn.Linear(4, 3), experts=experts)


@other
def experts_by_one_hot():
    def forward(self, x):
        tokens = x.flatten(2).mT
        mask = F.one_hot(self.gate(tokens).argmax(-1), 3).to(x.dtype)
        hidden = torch.einsum("bne,bnd->bend", mask, tokens)
        return torch.einsum("bend,edf->bnf", hidden, self.weights)

    return Block(forward, gate=nn.Linear(4, 3), weights=nn.Parameter(torch.randn(3, 4, 4)))


@other
def experts_by_gathered_weights():
    def forward(self, x):
        tokens = x.flatten(2).mT[0]
        weight = self.weights[self.gate(tokens).argmax(-1)]
        return torch.bmm(tokens.unsqueeze(1), weight).squeeze(1)

    return Block(forward, gate=nn.Linear(4, 3), weights=nn.Parameter(torch.randn(3, 4, 4)))


@other
def one_expert_for_the_image():
    def forward(self, x):
        return self.experts[int(self.gate(x.mean((2, 3))).argmax())](x)

    return Block(forward, gate=nn.Linear(4, 2), experts=nn.ModuleList([conv(), conv(k=5)]))


@other
def vector_quantizer():
    def forward(self, x):
        tokens = x.permute(0, 2, 3, 1).reshape(-1, 4)
        codes = self.codes(torch.cdist(tokens, self.codes.weight).argmin(1))
        codes = codes.view(1, 8, 8, 4).permute(0, 3, 1, 2)
        return x + (codes - x).detach()

    return Block(forward, codes=nn.Embedding(6, 4))


@other
def quantizer_by_product():
    def forward(self, x):
        flat = x.permute(0, 2, 3, 1).reshape(-1, 4)
        w = self.codes
        d = flat.pow(2).sum(1, keepdim=True) + w.pow(2).sum(1) - 2 * flat @ w.t()
        hot = torch.zeros_like(d).scatter_(1, d.argmin(1, keepdim=True), 1)
        return (hot @ w).view(1, 8, 8, 4).permute(0, 3, 1, 2)

    return Block(forward, codes=nn.Parameter(torch.randn(6, 4)))


# Writing in place.


def written(write):
    return Block(lambda self, x: (write(self.a(x), x)) * 1, a=conv())


def add_written(**functions):
    for name, function in functions.items():
        OTHERS[name] = lambda function=function: written(function)


def _slice_from_the_flip(y, x):
    y[:, :, 2:4] = x.flip(2)[:, :, 2:4]
    return y


def _view_written(y, x):
    y.view(-1).copy_(x.flip(2).reshape(-1))
    return y


def _base_written(y, x):
    view = y[:, :, 1:]
    y.copy_(x.flip(3))
    return view


def _transposed_written(y, x):
    y.mT.add_(x)
    return y


def _out(y, x):
    torch.add(y.mT.clone(), x, out=y)
    return y


def _out_of_new(y, x):
    z = torch.empty(0, dtype=x.dtype)
    torch.mul(x.flip(2), 2, out=z)
    return z


def _constant_then_image(y, x):
    z = torch.zeros_like(x)
    part = z[:, :, :1]
    z.copy_(x)
    return part


def _detached(y, x):
    y.detach().copy_(x.mT)
    return y


def _data(y, x):
    y.data = x.mT
    return y


def _set(y, x):
    y.set_(x.mT.contiguous())
    return y


def _swap(y, x):
    y[:, :, 0], y[:, :, 1] = y[:, :, 1].clone(), y[:, :, 0].clone()
    return y


def _accumulated(y, x):
    for i in range(1, 8):
        y[:, :, i] += y[:, :, i - 1]
    return y


def _filled_by_list(y, x):
    z = torch.zeros_like(x)
    for i in range(8):
        z[:, :, i] = x[:, :, 7 - i]
    return z


def _resized(y, x):
    return y.resize_(1, 4, 4, 16)


def _unsqueezed(y, x):
    y.transpose_(2, 3)
    return y + x


def _masked_write(y, x):
    y[x > 0] = 0
    return y


def _unbound(y, x):
    first, second, *_ = y.unbind(2)
    second.add_(x[:, :, 7])
    return first + second


def _foreach(y, x):
    torch._foreach_add_([y], [x.mT])
    return y


def _foreach_new(y, x):
    return torch._foreach_add([y], [x.mT])[0]


def _split_written(y, x):
    a, b = y.split(4, 2)
    a.copy_(x[:, :, 4:])
    return b + a


def _real(y, x):
    z = torch.complex(y, y)
    z.real.copy_(x.mT)
    return z.real


def _index_put(y, x):
    y[:, :, torch.tensor([0, 1])] = x[:, :, 6:]
    return y


def _scatter(y, x):
    return y.scatter_(2, torch.zeros_like(x).long(), x)


add_written(
    slice_from_the_flip=_slice_from_the_flip, view_written=_view_written,
    base_written=_base_written, transposed_written=_transposed_written, out=_out,
    out_of_new=_out_of_new, constant_then_image=_constant_then_image, detached=_detached,
    data=_data, set=_set, swap=_swap, accumulated=_accumulated, filled_by_list=_filled_by_list,
    resized=_resized, transposed_in_place=_unsqueezed, masked_write=_masked_write,
    unbound=_unbound, foreach=_foreach, foreach_new=_foreach_new, split_written=_split_written,
    real=_real, index_put=_index_put, scatter=_scatter,
)  # fmt: skip


@exact
def elementwise_in_place():
    """Forms that PyTorch does not tag as pointwise."""
    return Block(lambda self, x: torch.ops.aten.gelu_(self.conv(x)).abs_(), conv=conv())


@other
def views_in_place():
    def forward(self, x):
        rows = x.mean(3)
        rows.unsqueeze_(0)
        return rows.squeeze_(1).amax(-1)

    return Block(forward)


# How models return, call and are wrapped.


@exact
def dictionary():
    return Block(lambda self, x: {"a": self.a(x), "b": [x]}, a=conv())


@exact
def named_tuple():
    result = namedtuple("result", "a b")
    return Block(lambda self, x: result(self.a(x), x), a=conv())


@exact
def data_class():
    @dataclasses.dataclass
    class Output:
        a: torch.Tensor

    return Block(lambda self, x: Output(self.b(Block(lambda _, x: Output(self.a(x)))(x).a)),
                 a=conv(), b=conv())  # fmt: skip


@exact
def checkpointed():
    return Block(lambda self, x: checkpoint(self.a, x, use_reentrant=False), a=conv())


@exact
def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.Sequential(torch.jit.script(nn.Sequential(conv(), nn.ReLU())), conv())


@exact
def compiled():
    return nn.Sequential(torch.compile(conv(), backend="eager"), conv())


@exact
def own_function():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return F.avg_pool2d(x, 3, 1, 1)

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    return Block(lambda self, x: Double.apply(self.a(x)), a=conv())


@exact
def half_precision_inside():
    return Block(lambda self, x: self.a(x.to(torch.bfloat16).to(x.dtype)), a=conv())


@exact
def functional_call():
    def forward(self, x):
        parameters = {k: v * 2 for k, v in self.a.named_parameters()}
        return torch.func.functional_call(self.a, parameters, (x,))

    return Block(forward, a=conv())


@other
def mapped_over_the_batch():
    return Block(lambda self, x: torch.vmap(self.a)(x), a=conv())


@other
def gradient_inside():
    def forward(self, x):
        with torch.enable_grad():
            y = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.a(y).square().sum(), y)
        return gradient

    return Block(forward, a=conv())


@exact
def with_inference_mode():
    def forward(self, x):
        with torch.inference_mode():
            y = self.a(x)
        return y + x

    return Block(forward, a=conv())
