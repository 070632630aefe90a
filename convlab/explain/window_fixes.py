"""Changes for causes of convolutions, poolings and normalizations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from math import gcd
from typing import Any

from torch import Tensor, nn

from convlab.explain.candidates import Candidate, Context, change_inputs
from convlab.explain.channels import prelu_channels
from convlab.explain.findings import entries
from convlab.explain.layers import replace_layer
from convlab.explain.modules import INTEGERS
from convlab.explain.windows import expected_channels, groups, window_axes


def _channels(context: Context) -> Iterator[Candidate]:
    call = context.call
    if call is None or call.input is None:
        return
    if call.kind == "group_norm":
        channels, number = call.input.shape[1], call["num_groups"]
        changes = {} if channels % number == 0 else {"num_groups": gcd(channels, number)}
        yield from context.on_layer(**changes, num_channels=channels)
        return
    if call.kind == "prelu":
        yield from context.on_layer(num_parameters=prelu_channels(call.input))
        return
    expected, axis = expected_channels(call), call.input.dim() - call.rank - 1
    got = call.input.shape[axis]
    if got == 0:
        return
    if call.rank == 3 and call.input.dim() == 5 and call.input.shape[2] == expected:
        yield from context.on_input(
            "exchange the axes of the channels and of the time: x.transpose(1, 2)",
            lambda x: x.transpose(1, 2),
        )
    ones = ", ".join(str(expected) if i == axis else "1" for i in range(call.input.dim()))
    image = call.rank == 2
    if image and got == 1 and expected == 3:
        repeats = [expected if i == axis else 1 for i in range(call.input.dim())]
        yield from context.on_input(
            f"repeat the grey channel: x.repeat({ones})", lambda x: x.repeat(repeats)
        )
    elif image and got == 4 and expected == 3:
        yield from context.on_input(
            "drop the alpha channel, x[..., :3, :, :]", lambda x: x.narrow(axis, 0, 3)
        )
    elif image and got == 3 and expected == 1:
        yield from context.on_input(
            f"make the image grey: x.mean(dim={axis}, keepdim=True)",
            lambda x: x.mean(dim=axis, keepdim=True),
        )
    number = groups(call)
    if got % number == 0:
        yield from context.on_layer(in_channels=got)
    out_channels = call["weight"].shape[0]
    if call.kind == "conv_transpose":
        out_channels = call["weight"].shape[1] * number
    if number > 1 and number == expected == out_channels:  # a depthwise convolution
        yield from context.on_layer(in_channels=got, out_channels=got, groups=got)
    if got % number:
        yield from context.on_layer(in_channels=got, groups=gcd(got, out_channels))


def _channels_last(context: Context) -> Iterator[Candidate]:
    x = context.call.input if context.call else None
    if x is None or context.call is None:
        return
    first = x.dim() - context.call.rank - 1
    order = [*range(first), x.dim() - 1, *range(first, x.dim() - 1)]
    text = f"move the channels before the other axes: x.permute{tuple(order)}"
    if context.indices:
        yield from context.on_input(text, lambda x: x.permute(order).contiguous())
    else:
        yield Candidate(f"{text}, before {context.path or 'the layer'}")


def _missing_axis(context: Context) -> Iterator[Candidate]:
    call, x = context.call, context.x
    if x is None:
        return
    rank = call.rank if call is not None else 0
    expected = expected_channels(call) if call is not None and rank else None
    add = "add the axis of the"
    if rank and x.dim() == rank and expected in (None, 1):
        text = f"{add} channels and of the batch: x[None, None]"
        yield from context.on_input(text, lambda x: x[None, None])
    elif rank and x.dim() == 2 and x.shape[1] == expected:
        ones = (1,) * rank
        text = f"add the axes of the map: x.reshape{(*x.shape, *ones)}"
        yield from context.on_input(text, lambda x: x.reshape(*x.shape, *ones))
    elif rank == 3 and x.dim() == 4 and x.shape[1] == expected:
        text = f"{add} depth: x.unsqueeze(2)"
        yield from context.on_input(text, lambda x: x.unsqueeze(2))
    elif rank and expected == 1:
        text = f"{add} channels: x.unsqueeze(1)"
        yield from context.on_input(text, lambda x: x.unsqueeze(1))
    yield from context.on_input(f"{add} batch: x.unsqueeze(0)", lambda x: x.unsqueeze(0))
    if rank and context.is_map:
        yield Candidate(f"{context.path or 'the layer'} takes maps: flatten them behind it")
    if not rank:
        # A batch normalization of maps behind a layer that takes an image without a batch.
        text = f"{add} batch: x.unsqueeze(0)"
        yield Candidate(text, change_inputs(lambda x: x.unsqueeze(0)))
        yield from _other_batch_norm(context, x)


def _extra_axis(context: Context) -> Iterator[Candidate]:
    call, x = context.call, context.x
    if x is None:
        return
    if call is not None and call.rank:
        last, rank = x.dim() - call.rank - 2, x.dim() - 2
        name, where = call.name.replace(f"{call.rank}d", f"{rank}d"), context.path or "the layer"
        if not context.is_map and expected_channels(call) in (None, x.shape[last + 1]):
            text = f"make one axis of the first {last + 1}: x.flatten(0, {last})"
            yield from context.on_input(text, lambda x: x.flatten(0, last))
            yield Candidate(f"{text}, before {where}")
        if rank <= 3 and name != call.name:
            yield Candidate(f"{context.layer}{name} in place of {call.name}")
    yield from _other_batch_norm(context, x)


def _other_batch_norm(context: Context, x: Tensor) -> Iterator[Candidate]:
    """Yield the batch normalization for another number of axes."""
    cls = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}.get(x.dim())
    module: Any = context.failure.module
    if cls is None or type(module) not in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
        return

    def other(layer: Any) -> nn.Module:
        tensor = next(chain(layer.parameters(), layer.buffers()), None)
        place = {} if tensor is None else {"device": tensor.device, "dtype": tensor.dtype}
        options = (layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
        new: nn.Module = cls(layer.num_features, *options, **place)
        new.load_state_dict(layer.state_dict())
        return new.train(layer.training)

    text = f"{context.layer}{cls.__name__}({module.num_features}), for {x.dim()} axes"
    yield Candidate(text, replace_layer(context.path, other))


def _kernel(context: Context) -> Iterator[Candidate]:
    call = context.call
    if call is None:
        return
    axes = window_axes(call)
    if any(axis.dilation > 1 for axis in axes):
        yield from context.on_layer(dilation=(1,) * len(axes))
    if call.kind == "conv":
        needed = tuple(max(a.padding, -((a.size - a.extent) // 2)) for a in axes)
        yield from context.on_layer(padding=needed)
    sizes = tuple(min(a.kernel, a.padded) for a in axes)
    if all(a.dilation == 1 for a in axes):
        changes = {"kernel_size": sizes}
        if call.kind not in ("conv", "unfold") and any(a.padding for a in axes):
            pairs = zip(axes, sizes, strict=True)
            changes["padding"] = tuple(min(a.padding, size // 2) for a, size in pairs)
        pools_nothing = call.kind != "conv" and max(sizes) == 1
        yield from (c._replace(last=pools_nothing) for c in context.on_layer(**changes))


def _groups(context: Context) -> Iterator[Candidate]:
    module, x = context.failure.module, context.x
    if isinstance(module, nn.GroupNorm) and x is not None:
        channels = x.shape[1]
        changes = {"num_groups": gcd(module.num_groups, channels)}
        if channels != module.num_channels:
            changes["num_channels"] = channels
        yield from context.on_layer(**changes)
    elif context.call is not None and context.call.kind == "channel_shuffle":
        return
    elif hasattr(module, "groups"):
        number: Any = gcd(*(getattr(module, n) for n in ("groups", "in_channels", "out_channels")))
        yield from context.on_layer(groups=number)


def _same(context: Context) -> Iterator[Candidate]:
    if context.call is not None:
        axes = window_axes(context.call)
        yield from context.on_layer(padding=tuple((axis.extent - 1) // 2 for axis in axes))
        yield from context.on_layer(stride=(1,) * len(axes))


def _pool_padding(context: Context) -> Iterator[Candidate]:
    call = context.call
    if call is not None:
        axes = window_axes(call)
        yield from context.on_layer(padding=tuple(min(a.padding, a.kernel // 2) for a in axes))


def _padding_mode(context: Context) -> Iterator[Candidate]:
    call, module = context.failure.call, context.failure.module
    x, padding = next(iter(context.failure.inputs), None), getattr(module, "padding", None)
    if call is None or not isinstance(x, Tensor) or not isinstance(padding, tuple):
        return
    less = int(call["mode"] == "reflect")
    if hasattr(module, "padding_mode"):
        yield from context.on_layer(padding_mode="zeros")
        sizes = list(x.shape[-len(padding) :])
    else:  # two numbers for each axis, from the last one
        sizes = [x.shape[-1 - position // 2] for position in range(len(padding))]
    pairs = zip(padding, sizes, strict=True)
    yield from context.on_layer(padding=tuple(min(p, size - less) for p, size in pairs))


def _transposed(context: Context) -> Iterator[Candidate]:
    call = context.call
    if call is None or call.kind != "conv_transpose":
        return
    if context.failure.call is None:
        yield Candidate("ask for an output_size in the range above")
        return
    axes = window_axes(call)
    limits = (max(a.stride, a.dilation) - 1 for a in axes)
    pairs = zip(axes, limits, strict=True)
    yield from context.on_layer(output_padding=tuple(min(a.output_padding, n) for a, n in pairs))


def _empty(context: Context) -> Iterator[Candidate]:
    call = context.call
    if call is not None and call.kind == "conv_transpose":
        axes = window_axes(call)
        yield from context.on_layer(
            padding=tuple(min(a.padding, (a.transposed - 1) // 2) for a in axes)
        )


def _not_an_integer(context: Context) -> Iterator[Candidate]:
    values = {name: getattr(context.failure.module, name, None) for name in INTEGERS}
    changes = {}
    for name, value in values.items():
        numbers = entries(value)
        if any(isinstance(number, float) for number in numbers):
            fixed = tuple(number if number is None else int(number) for number in numbers)
            changes[name] = fixed if isinstance(value, tuple | list) else fixed[0]
    if changes:
        yield from context.on_layer(**changes)


WINDOW_FIXES: dict[str, Callable[[Context], Iterator[Candidate]]] = {
    "channels": _channels,
    "channels_last_image": _channels_last,
    "missing_axis": _missing_axis,
    "extra_axis": _extra_axis,
    "kernel_larger_than_input": _kernel,
    "groups_do_not_divide": _groups,
    "same_with_stride": _same,
    "pool_padding": _pool_padding,
    "padding_mode_too_large": _padding_mode,
    "transposed_size": _transposed,
    "empty_output": _empty,
    "not_an_integer": _not_an_integer,
}
