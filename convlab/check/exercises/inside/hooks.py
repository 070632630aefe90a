"""Exercise: feature maps of a layer."""

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
                images = random_array(random, 2, 1, size, size)
                yield model, torch.from_numpy(images), name
        silent = chain(nn.Conv2d(1, 1, 2), nn.BatchNorm2d(1)).eval()
        yield silent, torch.from_numpy(random_array(random, 2, 1, 3, 3)), "1"


def _maps_and_hooks(arguments: Arguments, returned: Any) -> Any:
    """Return what was kept, how many hooks are left in the model, and its mode."""
    model = arguments[0]
    if returned is None and not model.most:
        return None
    hooks = sum(len(module._forward_hooks) for module in model.modules())
    if isinstance(returned, list | tuple):
        returned = type(returned)(map(_as_array, returned))
    mode = "training" if model.training else "eval"
    return _as_array(returned), f"{hooks} of the hooks left", f"{mode} mode"


def _as_array(value: Any) -> Any:
    return value.detach().numpy() if hasattr(value, "detach") else value


@chapter.code(
    title="Feature maps with a hook",
    minutes=12,
    text="Return the output of the layer called `name`, for the images `x`, when they go through "
    "the whole `model`. `model.get_submodule(name)` is the layer. A layer behind it may write over "
    "this output; return it as it was. Leave no hook behind, "
    "and the mode of the model as it is.",
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


@maps_of.mistake("That is the answer of the whole model, not of its layer called `name`.")
def answer_returned(model, x, name):
    return model(x)


@maps_of.mistake("The layer reads what the layers before it have made, not the images.")
def layer_alone(model, x, name):
    return model.get_submodule(name)(x)


@maps_of.mistake("Which layer is meant? Yours is always the first.")
def first_layer(model, x, name):
    first = next(n for n, module in model.named_modules() if not list(module.children()))
    return maps_of.solution(model, x, first)


_DOTTED = "A layer inside of a layer has a name with a dot, as `0.1`. `get_submodule` follows it."


@maps_of.mistake(_DOTTED)
def found_with_getattr(model, x, name):
    getattr(model, name)  # raises for a name with a dot
    return maps_of.solution(model, x, name)


@maps_of.mistake(_DOTTED)
def found_among_the_children(model, x, name):
    dict(model.named_children())[name]
    return maps_of.solution(model, x, name)


@maps_of.mistake(_DOTTED)
def found_by_number(model, x, name):
    int(name)
    return maps_of.solution(model, x, name)


@maps_of.mistake(_DOTTED)
def walked_along_the_children(model, x, name):
    for other, layer in model.named_children():
        x = layer(x)
        if other == name:
            return x
    return None


@maps_of.mistake("Return the maps of all images, not of the first one.")
def first_image_only(model, x, name):
    return maps_of.solution(model, x, name)[0]


@maps_of.mistake("Return the output with all its axes, also those of size 1.")
def squeezed(model, x, name):
    return maps_of.solution(model, x, name).squeeze()


@maps_of.mistake(
    "Your hook has seen nothing. Is it there, as a forward hook, while the model runs?"
)
def removed_too_early(model, x, name):
    seen: list[Any] = []
    return seen[0]


@maps_of.mistake("Nothing was kept: the list is empty. Is the hook there while the model runs?")
def empty_list(model, x, name):
    return []


@maps_of.mistake("Return the output of this layer as it was, without a ReLU.")
def relu_applied(model, x, name):
    return maps_of.solution(model, x, name).relu()


@maps_of.mistake("That is a list. Return the tensor in it.")
def list_returned(model, x, name):
    return [maps_of.solution(model, x, name)]


@maps_of.mistake("The maps are right. But `eval()` changes how the model computes: leave its mode.")
def mode_changed(model, x, name):
    model.eval()
    return maps_of.solution(model, x, name)


@maps_of.mistake("`eval()` changes the mode, and a layer behind has written over what you kept.")
def mode_changed_not_cloned(model, x, name):
    model.eval()
    return not_cloned(model, x, name)


@maps_of.mistake("None comes back. A name that is set inside of the hook is lost: use a list.")
def kept_in_a_local_name(model, x, name):
    model(x)


@maps_of.mistake("That is the weight of the layer. Return its output, which the hook sees.")
def weight_returned(model, x, name):
    return model.get_submodule(name).weight


@maps_of.mistake("You return the sum over the channels. All maps are wanted.")
def summed_over_channels(model, x, name):
    return maps_of.solution(model, x, name).sum(1)


@maps_of.mistake("The maps are wanted as they are, without a mean over them.")
def averaged(model, x, name):
    return maps_of.solution(model, x, name).flatten(2).mean(2)


@maps_of.mistake("What a hook returns takes the place of the output: return nothing in it.")
def hook_returns_its_list(model, x, name):
    seen = []

    def keep(module, inputs, output):
        seen.append(output.detach().clone())
        return seen

    handle = model.get_submodule(name).register_forward_hook(keep)
    model(x)
    handle.remove()
    return seen[0]


@maps_of.mistake("That is what the layer reads, in a tuple. What it has computed comes third.")
def inputs_kept(model, x, name):
    return (input_kept(model, x, name),)


@maps_of.mistake("The maps of each image are wanted, not a mean or a sum over the images.")
def averaged_over_images(model, x, name):
    return maps_of.solution(model, x, name).mean(0)


@maps_of.mistake("The maps of each image are wanted, not a mean or a sum over the images.")
def averaged_over_images_with_axis(model, x, name):
    return maps_of.solution(model, x, name).mean(0, keepdim=True)


@maps_of.mistake("Return the maps of all images, not of the first one.")
def first_image_with_axis(model, x, name):
    return maps_of.solution(model, x, name)[:1]
