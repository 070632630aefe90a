"""Feature maps of a layer."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from convlab.check.exercise import Arguments, random_array
from convlab.check.exercises._networks import chain
from convlab.check.exercises.inside.values import chapter

if TYPE_CHECKING:
    pass


def _asked(random: Random) -> Iterator[Arguments]:
    """Yield networks, images and names of layers, from the simplest on."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        small = chain(nn.Conv2d(1, 1, 2), nn.Flatten(), nn.Linear(4, 2))
        deep = chain(
            nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(inplace=True), nn.Conv2d(2, 3, 2)),
            nn.Flatten(),
            nn.Linear(12, 2),
        )
        for model, size, names in (
            (small, 3, ("0", "1", "2")),
            (deep, 4, ("0.1", "0.0", "0.2", "0", "1", "2")),
        ):
            for name in names:
                yield model, torch.from_numpy(random_array(random, 1, 1, size, size)), name


def _maps_and_hooks(arguments: Arguments, returned: Any) -> Any:
    """Return what was kept, and how many hooks are left in the model."""
    if returned is None:
        return None
    hooks = sum(len(module._forward_hooks) for module in arguments[0].modules())
    if hasattr(returned, "detach"):
        returned = returned.detach().numpy()
    return returned, f"{hooks} hooks left"


@chapter.code(
    title="Feature maps with a hook",
    minutes=12,
    text="Return the output of the layer called `name`, for the images `x`, when they go through "
    "the whole `model`. `model.get_submodule(name)` is the layer. A layer behind it may write over "
    "this output; return it as it was. Leave no hook behind.",
    cases=_asked,
    imports="import torch\nfrom torch import nn",
    result=_maps_and_hooks,
    hints=[
        "`layer.register_forward_hook(hook)` returns a handle, and calls "
        "`hook(module, inputs, output)` when the layer has computed.",
        "A hook cannot return what it has seen to you. A list outside of it can keep it.",
        "What does an in-place ReLU do with the tensor that you kept? And `handle.remove()`?",
    ],
    explanation="In the hook `detach().clone()`, afterwards `remove()`.",
)
def maps_of(model, x, name):
    """Return the output of a layer of the model."""
    seen = []

    def keep(module, inputs, output):
        seen.append(output.detach().clone())

    handle = model.get_submodule(name).register_forward_hook(keep)
    model(x)
    handle.remove()
    return seen[0]


def _hooked(model, x, name, take, remove=True):
    """Return what `take(inputs, output)` makes of the arguments of the hook."""
    seen = []
    handle = model.get_submodule(name).register_forward_hook(
        lambda module, inputs, output: seen.append(take(inputs, output))
    )
    model(x)
    if remove:
        handle.remove()
    return seen[0]


@maps_of.mistake("The next layer has written over what you kept. `detach()` is no copy.")
def not_cloned(model, x, name):
    return _hooked(model, x, name, lambda inputs, output: output.detach())


@maps_of.mistake("Your hook is still there, and goes on keeping maps: `handle.remove()`.")
def hook_left(model, x, name):
    return _hooked(model, x, name, lambda inputs, output: output.detach().clone(), remove=False)


@maps_of.mistake("The hook is still there, and what it kept was overwritten by the next layer.")
def hook_left_not_cloned(model, x, name):
    return _hooked(model, x, name, lambda inputs, output: output.detach(), remove=False)


@maps_of.mistake("That is what the layer reads. What it has computed is the third argument.")
def input_kept(model, x, name):
    return _hooked(model, x, name, lambda inputs, output: inputs[0].detach().clone())


@maps_of.mistake("That is the answer of the whole model. Return what your hook has kept.")
def answer_returned(model, x, name):
    return model(x)


@maps_of.mistake("The layer reads what the layers before it have made, not the images.")
def layer_alone(model, x, name):
    return model.get_submodule(name)(x)


@maps_of.mistake("Which layer is meant? Yours is always the first.")
def first_layer(model, x, name):
    first = next(n for n, module in model.named_modules() if not list(module.children()))
    return maps_of.solution(model, x, first)
