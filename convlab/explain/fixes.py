"""Changes that may make a failing call run. Each is tried before it is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import gcd
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from convlab.explain.calls import Call, call_of_layer
from convlab.explain.explanation import Change
from convlab.explain.layers import change_layer, rebuild, replace_layer
from convlab.explain.meta import is_shape, meta_tensor
from convlab.explain.trace import Failure, Outcome
from convlab.explain.windows import expected_channels, groups, window_axes
from convlab.shapes import dilated_kernel_size


class Candidate(NamedTuple):
    """A text, and a change to try; None if only the author of the code can make it."""

    text: str
    change: Change | None = None


def change_inputs(function: Callable[[Tensor], Tensor], indices: list[int] | None = None) -> Change:
    """Return a change of the inputs with these indices, by default of all; shapes stay shapes."""

    def apply(value: Any) -> Any:
        if is_shape(value):
            return tuple(function(torch.empty(tuple(value), device="meta")).shape)
        return function(value) if isinstance(value, Tensor) else value

    def change(model: nn.Module, inputs: list[Any]) -> tuple[nn.Module, list[Any]]:
        return model, [
            apply(value) if indices is None or index in indices else value
            for index, value in enumerate(inputs)
        ]

    return change


def candidates(cause: str, outcome: Outcome, inputs: list[Any]) -> Iterator[Candidate]:
    """Return changes for a cause, the most likely first; `inputs` are those of the model."""
    failure = outcome.failure
    assert failure is not None
    call = call_of_layer(failure.module, failure.inputs) or failure.call
    if failure.call is not None and failure.call.kind not in ("pad", ""):
        call = failure.call
    maker = _MAKERS.get(cause)
    if maker is None:
        return
    x = call.input if call is not None else next(iter(failure.inputs), None)
    indices = []
    if isinstance(x, Tensor):
        same = (
            index
            for index, value in enumerate(inputs)
            if isinstance(value, Tensor) and value.shape == x.shape and value.dtype == x.dtype
        )
        indices = list(same)
    yield from maker(_Context(call, failure, indices, outcome.last_layer))


class _Context(NamedTuple):
    """A failing call, the inputs of the model with the shape of its input, the last layer."""

    call: Call | None
    failure: Failure
    indices: list[int]
    last_layer: str | None

    @property
    def path(self) -> str:
        return self.failure.path

    @property
    def layer(self) -> str:
        return f"{self.path}: " if self.path else ""

    def on_input(self, text: str, function: Callable[[Tensor], Tensor]) -> Iterator[Candidate]:
        """Yield a change of the inputs of this shape, if there are any."""
        if self.indices:
            yield Candidate(text, change_inputs(function, self.indices))

    def on_layer(self, **changes: Any) -> Candidate:
        """Return a change of arguments of the layer."""
        text = ", ".join(f"{name}={value!r}" for name, value in changes.items())
        return Candidate(f"{self.layer}{text}", change_layer(self.path, **changes))


def _channels(context: _Context) -> Iterator[Candidate]:
    call = context.call
    if call is None or call.input is None:
        return
    if call.kind == "group_norm":
        yield context.on_layer(num_channels=call.input.shape[1])
        return
    expected, axis = expected_channels(call), call.input.dim() - call.rank - 1
    got = call.input.shape[axis]
    ones = ", ".join(str(expected) if i == axis else "1" for i in range(call.input.dim()))
    if got == 1 and expected == 3:
        repeats = [expected if i == axis else 1 for i in range(call.input.dim())]
        yield from context.on_input(
            f"repeat the grey channel: x.repeat({ones})", lambda x: x.repeat(repeats)
        )
    elif got == 4 and expected == 3:
        yield from context.on_input(
            "drop the alpha channel, x[..., :3, :, :]", lambda x: x.narrow(axis, 0, 3)
        )
    elif got == 3 and expected == 1:
        yield from context.on_input(
            f"make the image grey: x.mean(dim={axis}, keepdim=True)",
            lambda x: x.mean(dim=axis, keepdim=True),
        )
    number = groups(call)
    if got % number == 0:
        yield context.on_layer(in_channels=got)
    out_channels = call["weight"].shape[0]
    if call.kind == "conv_transpose":
        out_channels = call["weight"].shape[1] * number
    if number > 1 and number == expected == out_channels:  # a depthwise convolution
        yield context.on_layer(in_channels=got, out_channels=got, groups=got)
    if got % number:
        yield context.on_layer(in_channels=got, groups=gcd(got, out_channels))


def _channels_last(context: _Context) -> Iterator[Candidate]:
    x = context.call.input if context.call else None
    if x is None or context.call is None:
        return
    first = x.dim() - context.call.rank - 1
    order = [*range(first), x.dim() - 1, *range(first, x.dim() - 1)]
    text = f"move the channels before the other axes: x.permute{tuple(order)}"
    if context.indices:
        yield from context.on_input(text, lambda x: x.permute(order))
    else:
        yield Candidate(f"{text}, before {context.path or 'the layer'}")


def _missing_axis(context: _Context) -> Iterator[Candidate]:
    call = context.call
    x = call.input if call and call.input is not None else next(iter(context.failure.inputs), None)
    if not isinstance(x, Tensor):
        return
    rank = call.rank if call and call.rank else None
    add = "add the axis of the"
    if rank is not None and call is not None and x.dim() == rank:
        if expected_channels(call) in (None, 1):
            text = f"{add} channels and of the batch: x[None, None]"
            yield from context.on_input(text, lambda x: x[None, None])
    elif rank is not None and call is not None and expected_channels(call) == 1:
        text = f"{add} channels: x.unsqueeze(1)"
        yield from context.on_input(text, lambda x: x.unsqueeze(1))
    yield from context.on_input(f"{add} batch: x.unsqueeze(0)", lambda x: x.unsqueeze(0))
    if rank is None:
        # A batch normalization of maps behind a layer that takes an image without a batch.
        text = f"{add} batch: x.unsqueeze(0)"
        yield Candidate(text, change_inputs(lambda x: x.unsqueeze(0)))
        yield from _other_batch_norm(context, x)


def _extra_axis(context: _Context) -> Iterator[Candidate]:
    call = context.call
    x = call.input if call and call.input is not None else next(iter(context.failure.inputs), None)
    if not isinstance(x, Tensor):
        return
    if call is not None and call.rank:
        last = x.dim() - call.rank - 2
        text = f"make one axis of the first {last + 1}: x.flatten(0, {last})"
        yield from context.on_input(text, lambda x: x.flatten(0, last))
        yield Candidate(f"{text}, before {context.path or 'the layer'}")
    yield from _other_batch_norm(context, x)


def _other_batch_norm(context: _Context, x: Tensor) -> Iterator[Candidate]:
    """Yield the batch normalization for another number of axes."""
    cls = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}.get(x.dim())
    module: Any = context.failure.module
    if cls is None or type(module) not in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d):
        return

    def other(layer: Any) -> nn.Module:
        tensor = next(layer.parameters(), None)
        place = {} if tensor is None else {"device": tensor.device, "dtype": tensor.dtype}
        options = (layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
        new: nn.Module = cls(layer.num_features, *options, **place)
        new.load_state_dict(layer.state_dict())
        return new.train(layer.training)

    text = f"{context.layer}{cls.__name__}({module.num_features}), for {x.dim()} axes"
    yield Candidate(text, replace_layer(context.path, other))


def _kernel(context: _Context) -> Iterator[Candidate]:
    call = context.call
    if call is None:
        return
    axes = window_axes(call)
    if any(axis.dilation > 1 for axis in axes):
        yield context.on_layer(dilation=(1,) * len(axes))
    if call.kind == "conv":
        needed = tuple(max(a.padding, -((a.size - a.extent) // 2)) for a in axes)
        yield context.on_layer(padding=needed)
    sizes = tuple(min(a.kernel, a.padded) for a in axes)
    if all(a.dilation == 1 for a in axes):
        if call.kind == "conv":
            yield context.on_layer(kernel_size=sizes)
        else:
            paddings = tuple(min(a.padding, size // 2) for a, size in zip(axes, sizes, strict=True))
            yield context.on_layer(kernel_size=sizes, padding=paddings)


def _groups(context: _Context) -> Iterator[Candidate]:
    module: Any = context.failure.module
    if hasattr(module, "num_groups"):
        yield context.on_layer(num_groups=gcd(module.num_groups, module.num_channels))
    elif hasattr(module, "groups"):
        yield context.on_layer(groups=gcd(module.groups, module.in_channels, module.out_channels))


def _same(context: _Context) -> Iterator[Candidate]:
    if context.call is not None:
        axes = window_axes(context.call)
        yield context.on_layer(padding=tuple((axis.extent - 1) // 2 for axis in axes))
        yield context.on_layer(stride=(1,) * len(axes))


def _features(context: _Context) -> Iterator[Candidate]:
    call = context.call
    if call is None or call.input is None:
        return
    if call.kind == "layer_norm":
        count = len(tuple(call["normalized_shape"]))
        yield context.on_layer(normalized_shape=tuple(call.input.shape[-count:]))
    elif call.kind == "linear":
        yield context.on_layer(in_features=call.input.shape[-1])
    else:
        yield Candidate("flatten with x.flatten(1), and set in_features of the next layer")


def _flatten(context: _Context) -> Iterator[Candidate]:
    yield Candidate(
        f"put nn.Flatten() before {context.path or 'the layer'}",
        replace_layer(context.path, lambda layer: nn.Sequential(nn.Flatten(), layer)),
    )


def _integers(context: _Context) -> Iterator[Candidate]:
    weight = context.call["weight"] if context.call else None
    dtype = weight.dtype if isinstance(weight, Tensor) else torch.get_default_dtype()
    name = str(dtype)

    def scale(x: Tensor) -> Tensor:
        return x.to(dtype) / 255 if x.dtype == torch.uint8 else x.to(dtype)

    x = context.call.input if context.call else None
    divide = " / 255" if x is not None and x.dtype == torch.uint8 else ""
    indices = context.indices or None
    yield Candidate(f"convert the image: x.to({name}){divide}", change_inputs(scale, indices))


def _dtype(context: _Context) -> Iterator[Candidate]:
    call = context.call
    if call is None:
        return
    target, x = call["target"], call.input
    if isinstance(target, Tensor) and x is not None:
        dtype = torch.int64 if call.kind == "cross_entropy" else x.dtype
        changed = target.dtype

        def convert(value: Tensor) -> Tensor:
            return value.to(dtype) if value.dtype == changed else value

        yield Candidate(f"convert the target: target.to({dtype})", change_inputs(convert, [1]))
        return
    if call.kind == "embedding":
        yield from context.on_input("convert the indices: x.long()", lambda x: x.long())
        return
    other = call["weight"] if call["weight"] is not None else call["other"]
    if x is None or not isinstance(other, Tensor):
        return
    dtype, got = other.dtype, x.dtype
    yield Candidate(
        f"convert the input: x.to({dtype})",
        change_inputs(
            lambda x: x.to(dtype) if x.is_floating_point() or x.is_complex() else x,
            context.indices or None,
        ),
    )
    yield Candidate(f"convert the model: model.to({got})", lambda m, i: (m.to(got), i))


def _devices(context: _Context) -> Iterator[Candidate]:
    def move(model: nn.Module, inputs: list[Any]) -> tuple[nn.Module, list[Any]]:
        device = next((x.device for x in model.parameters()), torch.device("cpu"))
        if device.type == "meta":  # a trial: copies without a known device
            moved = [x.clone() if isinstance(x, Tensor) else x for x in inputs]
        else:
            moved = [x.to(device) if isinstance(x, Tensor) else x for x in inputs]
        return model, moved

    yield Candidate("move the inputs: x.to(next(model.parameters()).device)", move)


def _batch_norm(context: _Context) -> Iterator[Candidate]:
    x = context.call.input if context.call else None
    if x is not None:
        yield context.on_layer(num_features=x.shape[1])


def _single_value(context: _Context) -> Iterator[Candidate]:
    yield Candidate("to predict: model.eval()", lambda model, inputs: (model.eval(), inputs))
    yield Candidate("to train: a batch of at least 2, as with DataLoader(..., drop_last=True)")


def _pool_padding(context: _Context) -> Iterator[Candidate]:
    call = context.call
    if call is not None:
        axes = window_axes(call)
        yield context.on_layer(padding=tuple(min(a.padding, a.kernel // 2) for a in axes))


def _padding_mode(context: _Context) -> Iterator[Candidate]:
    yield context.on_layer(padding_mode="zeros")
    module, x = context.failure.module, next(iter(context.failure.inputs), None)
    padding = getattr(module, "padding", None)
    if isinstance(padding, tuple) and isinstance(x, Tensor):
        less = int(getattr(module, "padding_mode", "") == "reflect")
        sizes = x.shape[-len(padding) :]
        pairs = zip(padding, sizes, strict=True)
        yield context.on_layer(padding=tuple(min(p, size - less) for p, size in pairs))


def _transposed(context: _Context) -> Iterator[Candidate]:
    call = context.call
    if call is None or call.kind != "conv_transpose":
        return
    if context.failure.call is None:
        yield Candidate("ask for an output_size in the range above")
        return
    axes = window_axes(call)
    limits = (max(a.stride, a.dilation) - 1 for a in axes)
    pairs = zip(axes, limits, strict=True)
    yield context.on_layer(output_padding=tuple(min(a.output_padding, n) for a, n in pairs))


def _empty(context: _Context) -> Iterator[Candidate]:
    call = context.call
    if call is not None and call.kind == "conv_transpose":
        axes = window_axes(call)
        full = [(a.size - 1) * a.stride + a.extent + a.output_padding for a in axes]
        pairs = zip(axes, full, strict=True)
        yield context.on_layer(padding=tuple(min(a.padding, (n - 1) // 2) for a, n in pairs))


def _padding(context: _Context) -> Iterator[Candidate]:
    """Yield changes of the padding of nearby convolutions to one that keeps the size."""
    children = context.failure.module.named_modules()
    names = [name for name, module in children if isinstance(module, nn.Conv2d)]
    paths = [".".join(filter(None, [context.path, name])) for name in names]
    for path in dict.fromkeys([*paths, *filter(None, [context.last_layer])]):
        yield Candidate(f"{path}: padding that keeps the size", replace_layer(path, _keep_size))


def _keep_size(layer: nn.Module) -> nn.Module:
    if not isinstance(layer, nn.Conv2d) or isinstance(layer.padding, str):
        raise TypeError("not a convolution with a padding in numbers")
    window = zip(layer.kernel_size, layer.dilation, strict=True)
    padding = tuple((dilated_kernel_size(k, d)[0] - 1) // 2 for k, d in window)
    return rebuild(layer, padding=padding)


def _skip(context: _Context) -> Iterator[Candidate]:
    yield from _padding(context)
    yield Candidate(
        "give both branches one shape: the same stride and padding, and a convolution of 1 x 1 "
        "with the stride and the out_channels of the other branch in the shortcut"
    )


def _concat(context: _Context) -> Iterator[Candidate]:
    yield from _padding(context)
    yield Candidate(
        "bring the maps to one size before torch.cat: F.interpolate(x, size=other.shape[2:])"
    )


def _not_an_integer(context: _Context) -> Iterator[Candidate]:
    module: Any = context.failure.module
    for name in ("kernel_size", "stride", "padding", "dilation", "groups"):
        value = getattr(module, name, None)
        numbers = value if isinstance(value, tuple | list) else (value,)
        if any(isinstance(number, float) for number in numbers):
            fixed = tuple(int(number) for number in numbers if number is not None)
            yield context.on_layer(**{name: fixed if isinstance(value, tuple) else fixed[0]})


def _target_shape(context: _Context) -> Iterator[Candidate]:
    call = context.call
    target, x = (call["target"], call.input) if call else (None, None)
    if not isinstance(target, Tensor) or x is None or call is None:
        return
    shape = x.shape[:1] + x.shape[2:] if call.kind == "cross_entropy" else x.shape
    if target.numel() == shape.numel():
        sizes = tuple(shape)
        yield Candidate(
            f"reshape the target: target.reshape({sizes})",
            change_inputs(lambda value: value.reshape(sizes), [1]),
        )
    if call.kind == "cross_entropy" and target.shape == x.shape:
        yield Candidate(
            "class numbers of one-hot vectors: target.argmax(dim=1)",
            change_inputs(lambda value: value.argmax(dim=1), [1]),
        )
    yield Candidate("the model must return one prediction per entry of the target")


def _target_range(context: _Context) -> Iterator[Candidate]:
    yield Candidate("number the classes from 0, and give the last layer as many outputs")


def larger_inputs(inputs: list[Any], sizes: tuple[int, ...]) -> Change | None:
    """Return a change that resizes every image of the size of the first to `sizes`."""
    size = image_size(inputs)
    if size is None:
        return None
    modes = {1: "linear", 2: "bilinear", 3: "trilinear"}

    def resize(x: Tensor) -> Tensor:
        if tuple(x.shape[-len(sizes) :]) != size or x.dim() < len(size) + 1:
            return x
        if x.device.type == "meta":
            return meta_tensor(x.new_empty((*x.shape[: -len(sizes)], *sizes)))
        batched = x if x.dim() == len(sizes) + 2 else x[None]
        mode = modes[len(sizes)] if x.is_floating_point() else "nearest"
        larger = functional.interpolate(batched, size=sizes, mode=mode)
        return larger if x.dim() == len(sizes) + 2 else larger[0]

    return change_inputs(resize)


def image_size(inputs: list[Any]) -> tuple[int, ...] | None:
    """Return the size of the first input if it is an image, or a batch of images."""
    x = next((x for x in inputs if isinstance(x, Tensor)), None)
    if x is None or x.dim() not in (3, 4) or not x.is_floating_point():
        return None
    return tuple(x.shape[-2:])


_MAKERS: dict[str, Callable[[_Context], Iterator[Candidate]]] = {
    "channels": _channels,
    "channels_last_image": _channels_last,
    "missing_axis": _missing_axis,
    "extra_axis": _extra_axis,
    "kernel_larger_than_input": _kernel,
    "groups_do_not_divide": _groups,
    "same_with_stride": _same,
    "linear_after_flatten": _features,
    "missing_flatten": _flatten,
    "features": _features,
    "integer_image": _integers,
    "dtype_mismatch": _dtype,
    "device_mismatch": _devices,
    "batchnorm_channels": _batch_norm,
    "batchnorm_single_value": _single_value,
    "pool_padding": _pool_padding,
    "padding_mode_too_large": _padding_mode,
    "transposed_size": _transposed,
    "empty_output": _empty,
    "skip_connection_shapes": _skip,
    "concat_shapes": _concat,
    "not_an_integer": _not_an_integer,
    "target_shape": _target_shape,
    "target_range": _target_range,
}
