"""Changes that may make a failing call run. Each is tried before it is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from convlab.explain.calls import call_of_layer
from convlab.explain.candidates import Candidate, Context, change_inputs
from convlab.explain.explanation import Change
from convlab.explain.layers import change_layer, rebuild, replace_layer
from convlab.explain.meta import meta_tensor
from convlab.explain.trace import Outcome
from convlab.explain.window_fixes import WINDOW_FIXES
from convlab.shapes import dilated_kernel_size


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
    yield from maker(Context(call, failure, indices, outcome.last_layer))


def _features(context: Context) -> Iterator[Candidate]:
    call = context.call
    if call is None or call.input is None:
        return
    if call.kind == "layer_norm":
        count = len(tuple(call["normalized_shape"]))
        yield context.on_layer(normalized_shape=tuple(call.input.shape[-count:]))
    elif call.kind == "linear":
        yield context.on_layer(in_features=call.input.shape[-1])
    elif call.kind == "view":
        yield Candidate("flatten with x.flatten(1), and set in_features of the next layer")


def _flatten(context: Context) -> Iterator[Candidate]:
    yield Candidate(
        f"put nn.Flatten() before {context.path or 'the layer'}",
        replace_layer(context.path, lambda layer: nn.Sequential(nn.Flatten(), layer)),
    )


def _integers(context: Context) -> Iterator[Candidate]:
    weight = context.call["weight"] if context.call else None
    dtype = weight.dtype if isinstance(weight, Tensor) else torch.get_default_dtype()
    name = str(dtype)

    def scale(x: Tensor) -> Tensor:
        return x.to(dtype) / 255 if x.dtype == torch.uint8 else x.to(dtype)

    x = context.call.input if context.call else None
    divide = " / 255" if x is not None and x.dtype == torch.uint8 else ""
    indices = context.indices or None
    yield Candidate(f"convert the image: x.to({name}){divide}", change_inputs(scale, indices))


def _dtype(context: Context) -> Iterator[Candidate]:
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


def _devices(context: Context) -> Iterator[Candidate]:
    def move(model: nn.Module, inputs: list[Any]) -> tuple[nn.Module, list[Any]]:
        device = next((x.device for x in model.parameters()), torch.device("cpu"))
        if device.type == "meta":  # a trial: copies without a known device
            moved = [x.clone() if isinstance(x, Tensor) else x for x in inputs]
        else:
            moved = [x.to(device) if isinstance(x, Tensor) else x for x in inputs]
        return model, moved

    yield Candidate("move the inputs: x.to(next(model.parameters()).device)", move)


def _batch_norm(context: Context) -> Iterator[Candidate]:
    x = context.call.input if context.call else None
    if x is not None:
        yield context.on_layer(num_features=x.shape[1])


def _single_value(context: Context) -> Iterator[Candidate]:
    yield Candidate("to predict: model.eval()", lambda model, inputs: (model.eval(), inputs))
    yield Candidate("to train: a batch of at least 2, as with DataLoader(..., drop_last=True)")


def _same_sizes(context: Context) -> Iterator[Candidate]:
    """Yield changes of nearby windows that may give two branches one size."""
    modules = {name: module for name, module in context.failure.module.named_modules() if name}
    nearby = {".".join(filter(None, [context.path, name])): m for name, m in modules.items()}
    for path in [path for path, module in nearby.items() if isinstance(module, nn.Conv2d)]:
        yield Candidate(f"{path}: padding that keeps the size", replace_layer(path, _keep_size))
    if context.last_layer is not None and context.last_layer not in nearby:
        path = context.last_layer
        yield Candidate(f"{path}: padding that keeps the size", replace_layer(path, _keep_size))
    for path, module in nearby.items():
        if isinstance(module, nn.Conv2d) and module.stride != (1, 1):
            yield Candidate(f"{path}: stride=1", change_layer(path, stride=1))
        elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d) and module.padding in (0, (0, 0)):
            sizes = module.kernel_size
            kernel = sizes if isinstance(sizes, tuple) else (sizes, sizes)
            padding = (kernel[0] // 2, kernel[1] // 2)
            yield Candidate(f"{path}: padding={padding}", change_layer(path, padding=padding))


def _keep_size(layer: nn.Module) -> nn.Module:
    if not isinstance(layer, nn.Conv2d) or isinstance(layer.padding, str):
        raise TypeError("not a convolution with a padding in numbers")
    window = zip(layer.kernel_size, layer.dilation, strict=True)
    padding = tuple((dilated_kernel_size(k, d)[0] - 1) // 2 for k, d in window)
    return rebuild(layer, padding=padding)


def _skip(context: Context) -> Iterator[Candidate]:
    yield from _same_sizes(context)
    yield Candidate(
        "give both branches one shape: the same stride and padding, and a convolution of 1 x 1 "
        "with the stride and the out_channels of the other branch in the shortcut"
    )


def _concat(context: Context) -> Iterator[Candidate]:
    yield from _same_sizes(context)
    yield Candidate(
        "bring the maps to one size before torch.cat: F.interpolate(x, size=other.shape[2:])"
    )


def _target_shape(context: Context) -> Iterator[Candidate]:
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


def _target_range(context: Context) -> Iterator[Candidate]:
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


_MAKERS: dict[str, Callable[[Context], Iterator[Candidate]]] = {
    **WINDOW_FIXES,
    "linear_after_flatten": _features,
    "missing_flatten": _flatten,
    "features": _features,
    "integer_image": _integers,
    "dtype_mismatch": _dtype,
    "device_mismatch": _devices,
    "batchnorm_channels": _batch_norm,
    "batchnorm_single_value": _single_value,
    "skip_connection_shapes": _skip,
    "concat_shapes": _concat,
    "target_shape": _target_shape,
    "target_range": _target_range,
}
