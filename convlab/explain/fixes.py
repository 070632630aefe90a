"""Changes that may make a failing call run. Each is tried before it is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from convlab.explain.calls import call_of_layer
from convlab.explain.candidates import Candidate, Context, change_inputs
from convlab.explain.explanation import Change
from convlab.explain.layers import LAYERS, change_layer, rebuild, replace_layer, set_attribute
from convlab.explain.losses import class_shape, known_targets
from convlab.explain.meta import meta_tensor
from convlab.explain.trace import Outcome
from convlab.explain.window_fixes import WINDOW_FIXES
from convlab.shapes import dilated_kernel_size

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


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
    yield from maker(Context(call, outcome, failure, indices))


def _features(context: Context) -> Iterator[Candidate]:
    call, x = context.call, context.x
    if x is None:
        return
    if isinstance(context.failure.module, nn.RNNBase | nn.RNNCellBase):
        yield from context.on_layer(input_size=x.shape[-1])
    elif call is None:
        return
    elif call.kind in ("layer_norm", "rms_norm"):
        shape = tuple(call["normalized_shape"])
        yield from context.on_layer(normalized_shape=tuple(x.shape[-len(shape) :]))
        if len(shape) == 1:
            yield from context.on_last_layer(out_features=shape[0])
    elif call.kind == "linear":
        yield from _linear(context, x, call["weight"].shape[1])
    elif call.kind == "bilinear":
        sizes = {"in1_features": x.shape[-1], "in2_features": call["second"].shape[-1]}
        yield from context.on_layer(**sizes)
    elif call.kind == "attention" and x.shape[-1] != call["embed_dim"]:
        yield from context.on_layer(embed_dim=x.shape[-1])
    elif call.kind == "unflatten":
        fixed = [size for size in call["sizes"] or call["unflattened_size"] if size != -1]
        yield from context.on_last_layer(out_features=prod(fixed))
    elif call.kind == "view":
        yield Candidate("flatten with x.flatten(1), and set in_features of the next layer")


def _linear(context: Context, x: Tensor, in_features: int) -> Iterator[Candidate]:
    source = context.outcome.tracer.maps.get(id(x), (None, None))[1] or ()
    if x.dim() < 3 and len(source) > 1 and prod(source[1:]) == in_features != x.shape[-1]:
        yield Candidate("flatten each image for itself: x.flatten(1)")
        return
    if len(source) > 2 and source[1] == in_features:
        yield from _global_average(context, source)
    yield from context.on_layer(in_features=x.shape[-1])


def _global_average(context: Context, source: tuple[int, ...]) -> Iterator[Candidate]:
    """Yield the average over each map, in front of a layer that has an input for each channel."""
    name = f"AdaptiveAvgPool{len(source) - 2}d"
    if len(source) <= 5 and isinstance(context.failure.module, nn.Linear):

        def averaged(layer: nn.Module) -> nn.Module:
            average = getattr(nn, name)(1)
            return nn.Sequential(nn.Unflatten(1, source[1:]), average, nn.Flatten(), layer)

        text = f"average over each map before it is flattened: nn.{name}(1)"
        yield Candidate(text, replace_layer(context.path, averaged))


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
    call, x = context.call, context.x
    target = call["target"] if call is not None else None
    if x is None:
        return
    if isinstance(target, Tensor):
        yield from _target_dtype(call, x, target)
        return
    if call is not None and call.kind == "embedding":
        yield from context.on_input("convert the indices: x.long()", lambda x: x.long())
        return
    others = [call["weight"], call["other"]] if call is not None else []
    others += [*context.failure.module.parameters(recurse=False)]
    others = [other for other in others if isinstance(other, Tensor) and other.dtype != x.dtype]
    if not others:
        return
    dtype, got = others[0].dtype, x.dtype
    yield Candidate(
        f"convert the input: x.to({dtype})",
        change_inputs(
            lambda x: x.to(dtype) if x.is_floating_point() or x.is_complex() else x,
            context.indices or None,
        ),
    )
    yield Candidate(f"convert the model: model.to({got})", lambda m, i: (m.to(got), i))


def _target_dtype(call: Any, x: Tensor, target: Tensor) -> Iterator[Candidate]:
    if target.is_floating_point() and not x.is_floating_point():
        yield Candidate(
            "exchange them: loss(prediction, target)",
            lambda model, inputs: (model, [inputs[1], inputs[0]]),
        )
        return
    dtype = torch.int64 if call.kind == "cross_entropy" else x.dtype
    changed = target.dtype

    def convert(value: Tensor) -> Tensor:
        return value.to(dtype) if value.dtype == changed else value

    yield Candidate(f"convert the target: target.to({dtype})", change_inputs(convert, [1]))


def _devices(context: Context) -> Iterator[Candidate]:
    def move(model: nn.Module, inputs: list[Any]) -> tuple[nn.Module, list[Any]]:
        device = next((x.device for x in model.parameters()), torch.device("cpu"))
        if device.type == "meta":  # a trial: copies without a known device
            moved = [x.clone() if isinstance(x, Tensor) else x for x in inputs]
        else:
            moved = [x.to(device) if isinstance(x, Tensor) else x for x in inputs]
        return model, moved

    tracer = context.outcome.tracer
    inputs = {original.device for _, original in tracer.values.values()}
    if len(tracer.model_devices) > 1:
        yield Candidate("move the model to one device, and the inputs: model.to(device)")
    elif inputs <= tracer.model_devices and inputs:
        yield Candidate("make the tensor on the device of the others: device=x.device")
    else:
        yield Candidate("move the inputs: x.to(next(model.parameters()).device)", move)


def _batch_norm(context: Context) -> Iterator[Candidate]:
    x, module = context.x, context.failure.module
    if x is None:
        return
    unbatched = isinstance(module, nn.InstanceNorm2d | nn.InstanceNorm3d) and x.dim() < (
        4 if isinstance(module, nn.InstanceNorm2d) else 5
    )
    yield from context.on_layer(num_features=x.shape[0 if unbatched else 1])
    if isinstance(module, LAYERS):
        yield from context.on_last_layer(out_channels=module.num_features)


def _single_value(context: Context) -> Iterator[Candidate]:
    yield Candidate("to predict: model.eval()", lambda model, inputs: (model.eval(), inputs))
    if context.call is not None and context.call.kind == "batch_norm":
        yield Candidate("to train: a batch of at least 2, as with DataLoader(..., drop_last=True)")


def _same_sizes(context: Context) -> Iterator[Candidate]:
    """Yield changes of nearby windows that may give two branches one size."""
    modules = {name: module for name, module in context.failure.module.named_modules() if name}
    nearby = {".".join(filter(None, [context.path, name])): m for name, m in modules.items()}
    convolutions = [path for path, m in nearby.items() if isinstance(m, _CONVOLUTIONS)]
    for path in convolutions:
        module: Any = nearby[path]
        if {*module.kernel_size, *module.stride} == {1}:  # of a shortcut
            yield Candidate(f"{path}: stride=2", change_layer(path, stride=2))
    for path in convolutions:
        yield Candidate(f"{path}: padding that keeps the size", replace_layer(path, _keep_size))
    last = context.outcome.last_layer
    if last is not None and last not in nearby:
        yield Candidate(f"{last}: padding that keeps the size", replace_layer(last, _keep_size))
    for path, module in nearby.items():
        if isinstance(module, _CONVOLUTIONS) and max(module.stride) > 1:
            yield Candidate(f"{path}: stride=1", change_layer(path, stride=1))
        elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d) and module.padding in (0, (0, 0)):
            sizes = module.kernel_size
            kernel = sizes if isinstance(sizes, tuple) else (sizes, sizes)
            padding = (kernel[0] // 2, kernel[1] // 2)
            yield Candidate(f"{path}: padding={padding}", change_layer(path, padding=padding))


def _keep_size(layer: nn.Module) -> nn.Module:
    if not isinstance(layer, _CONVOLUTIONS) or isinstance(layer.padding, str):
        raise TypeError("not a convolution with a padding in numbers")
    window = zip(layer.kernel_size, layer.dilation, strict=True)
    padding = tuple((dilated_kernel_size(k, d)[0] - 1) // 2 for k, d in window)
    return rebuild(layer, padding=padding)


def _skip(context: Context) -> Iterator[Candidate]:
    call = context.call
    x, other = (call.input, call["other"]) if call is not None else (None, None)
    if x is None or not isinstance(other, Tensor):
        return
    yield from _same_sizes(context)
    shorter, longer = sorted([tuple(x.shape), tuple(other.shape)], key=len)
    if len(shorter) > 1 and shorter == longer[: len(shorter)]:
        axes = ", ".join([":"] * len(shorter) + ["None"] * (len(longer) - len(shorter)))
        yield Candidate(f"add axes to the term of shape {shorter}: y[{axes}]")
    elif len(shorter) == len(longer) > 3 and shorter[:2] == longer[:2]:
        yield Candidate("bring the maps to one size: F.interpolate(x, size=other.shape[2:])")
    elif len(shorter) == len(longer) > 3 and shorter[0] == longer[0]:
        yield Candidate(
            "give both branches one shape: the same stride and padding, and a convolution of 1 x 1 "
            "with the stride and the out_channels of the other branch in the shortcut"
        )


def _concat(context: Context) -> Iterator[Candidate]:
    yield from _same_sizes(context)
    tensors = context.call["tensors"] if context.call is not None else ()
    shapes = [tuple(x.shape) for x in tensors if x.shape != (0,)]
    if len({len(shape) for shape in shapes}) > 1:
        return
    differ = [axis for axis, sizes in enumerate(zip(*shapes, strict=True)) if len({*sizes}) > 1]
    if context.call is not None and len(shapes[0]) > 3 and min(differ) > 0:
        yield Candidate(
            f"bring the maps to one size before torch.{context.call.name}: "
            "F.interpolate(x, size=other.shape[2:])"
        )
    elif len(differ) == 1 and differ[0] > 0 and context.call and context.call.kind == "cat":
        yield Candidate(f"join along the axis in which they differ: dim={differ[0]}")


def _target_shape(context: Context) -> Iterator[Candidate]:
    call = context.call
    target, x = (call["target"], call.input) if call else (None, None)
    if not isinstance(target, Tensor) or x is None or call is None:
        return
    is_classification = call.kind == "cross_entropy"
    sizes = class_shape(x) if is_classification else tuple(x.shape)
    if target.numel() == prod(sizes):
        yield Candidate(
            f"reshape the target: target.reshape({sizes})",
            change_inputs(lambda value: value.reshape(sizes), [1]),
        )
    if is_classification and target.shape == x.shape:
        yield Candidate(
            "class numbers of one-hot vectors: target.argmax(dim=1)",
            change_inputs(lambda value: value.argmax(dim=1), [1]),
        )
    elif is_classification and x.dim() > 1 and target.shape == (*sizes, x.shape[1]):
        yield Candidate(
            "class numbers of one-hot vectors: target.argmax(dim=-1)",
            change_inputs(lambda value: value.argmax(dim=-1), [1]),
        )
    elif is_classification and x.dim() > 2 and target.shape == x.shape[:-1]:
        yield Candidate(
            "make the classes the axis 1 of the prediction: prediction.movedim(-1, 1)",
            change_inputs(lambda value: value.movedim(-1, 1), context.indices),
        )
    if x.dim() > 3 and target.dim() >= 3 and target.shape[0] == x.shape[0]:
        yield Candidate("bring prediction and target to one size: F.interpolate(prediction, size)")
    yield Candidate("the model must return one prediction per entry of the target")


def _target_range(context: Context) -> Iterator[Candidate]:
    call = context.call
    kept = known_targets(context.outcome.tracer, call) if call is not None else None
    if call is None or call.input is None or kept is None:
        return
    classes = call.input.shape[min(1, call.input.dim() - 1)]
    wrong = list({*kept[(kept < 0) | (kept >= classes)].tolist()})
    if len(wrong) == 1 and wrong[0] != classes:
        loss = context.failure.module
        is_loss = isinstance(loss, nn.CrossEntropyLoss | nn.NLLLoss)
        text = f"if {wrong[0]} marks what has no class: {context.layer}ignore_index={wrong[0]}"
        yield Candidate(
            text, set_attribute(context.path, "ignore_index", wrong[0]) if is_loss else None
        )
    if int(kept.min()) > 0 and int(kept.max()) == classes:
        yield Candidate(
            "number the classes from 0: target - 1", change_inputs(lambda value: value - 1, [1])
        )
    yield Candidate("number the classes from 0, and give the last layer as many outputs")


def resized(size: tuple[int, ...], new: tuple[int, ...]) -> Change:
    """Return a change that resizes every image of a size."""
    modes = {1: "linear", 2: "bilinear", 3: "trilinear"}
    rank = len(size)

    def resize(x: Tensor) -> Tensor:
        if tuple(x.shape[-rank:]) != size or x.dim() not in (rank + 1, rank + 2):
            return x
        if x.device.type == "meta":
            return meta_tensor(x.new_empty((*x.shape[:-rank], *new)))
        batched = x if x.dim() == rank + 2 else x[None]
        mode = modes[rank] if x.is_floating_point() else "nearest"
        resized = functional.interpolate(batched, size=new, mode=mode)
        return resized if x.dim() == rank + 2 else resized[0]

    return change_inputs(resize)


def image_size(outcome: Outcome, inputs: list[Any]) -> tuple[int, ...] | None:
    """Return the size of the first input if it is an image, or a batch of images, with cells.

    A signal and a volume are images of one and three axes; the first window of the run decides.
    """
    x = next((x for x in inputs if isinstance(x, Tensor)), None)
    rank = outcome.tracer.rank
    if x is None or not rank or x.dim() not in (rank + 1, rank + 2) or not x.is_floating_point():
        return None
    return tuple(x.shape[-rank:]) if x.numel() else None


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
