"""Exercises on trained networks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from convlab.check.exercise import Arguments, Chapter, random_array
from convlab.check.exercises._networks import chain
from convlab.shapes import conv2d_output_size

if TYPE_CHECKING:
    import torch
    from torch import nn

chapter = Chapter("inside")

chapter.value(
    "answers_by_hand",
    title="How many answers",
    minutes=3,
    text="A network without padding was made for pictures of 40×40 pixels; the product of its "
    "strides is 8. Its linear layers have become convolutions, and it slides over a picture of "
    "40×88 pixels. How many answers does it give?",
    answer=conv2d_output_size((40, 88), 40, stride=8)[1],
    hints=[
        "The whole network acts like one window. How large is it, and by how much does it move?",
        "By how many pixels can it move to the right, and how many steps are that?",
    ],
    explanation="It can move by 48 pixels, which are 6 steps, so there are 7 places.",
    mistakes=[
        ("steps_counted", 6, "Those are the steps. The first place needs none."),
        ("moves_by_one", 49, "It moves by 8 pixels at a time, the product of the strides."),
        ("width_by_stride", 11, "A window of 40 pixels must fit at the last place, too."),
        ("pictures_side_by_side", 2, "The places overlap: it does not move by a whole picture."),
    ],
)

chapter.value(
    "predict_state_dict",
    title="Predict: how many tensors travel",
    minutes=3,
    text="What does this print?",
    code="net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),\n"
    "                    nn.Conv2d(8, 4, 3))\n"
    "print(len(net.state_dict()))",
    answer=2 + 5 + 0 + 2,
    hints=[
        "A weight and a bias are two tensors. What does the batch normalization have besides?",
        "Running mean, running variance, and how many batches they have seen.",
    ],
    explanation="Buffers travel too. Saving only the parameters would lose three of these.",
    mistakes=[
        ("parameters_only", 6, "The batch normalization also stores what it has met in training."),
        ("counter_forgotten", 8, "It also counts the batches: `num_batches_tracked`."),
        ("layers", 4, "A layer may have several tensors, or none."),
        ("layers_with_tensors", 3, "A layer may have several tensors: a weight, a bias, ..."),
        ("relu_counted", 10, "A ReLU stores nothing."),
        ("no_biases", 7, "By default, each convolution has a bias."),
    ],
)


def _matrices(random: Random) -> Iterator[Arguments]:
    """Yield the weight of a linear layer, channels and a size, from the simplest on."""
    yield np.arange(4.0).reshape(1, 4), 1, 2
    yield np.arange(8.0).reshape(1, 8), 2, 2
    yield np.arange(8.0).reshape(2, 4), 1, 2
    yield np.arange(6.0).reshape(2, 3), 3, 1
    for _ in range(15):
        outputs, channels, size = (random.randint(1, 4) for _ in range(3))
        yield random_array(random, outputs, channels * size**2, high=9), channels, size


@chapter.code(
    title="A linear layer becomes a convolution",
    minutes=4,
    text="Behind `nn.Flatten()`, a linear layer reads a map with `channels` channels of `size` by "
    "`size` cells. `w` is its weight, of the shape (O, C k k). Return the weight of the "
    "convolution that computes the same.",
    cases=_matrices,
    imports="import numpy as np",
    hints=[
        "What is the shape of the weight of a convolution?",
        "In which order does `nn.Flatten()` lay down the numbers of a map?",
    ],
    explanation="Flatten goes through channels, rows and columns, the order of a kernel's weights, "
    "so the numbers stay where they are.",
)
def as_convolution(w, channels, size):
    """Return the weight of the convolution, of shape (O, C, k, k)."""
    return w.reshape(len(w), channels, size, size)


@as_convolution.mistake("PyTorch has the channels before rows and columns: (O, C, k, k).")
def channels_last_shape(w, channels, size):
    return w.reshape(len(w), size, size, channels)


@as_convolution.mistake("The shape is right. But Flatten goes through one channel after the other.")
def channels_last_order(w, channels, size):
    return w.reshape(len(w), size, size, channels).transpose(0, 3, 1, 2)


@as_convolution.mistake("The outputs are the kernels: the first axis stays the first.")
def outputs_second(w, channels, size):
    return w.reshape(channels, len(w), size, size)


@as_convolution.mistake("The outputs are the kernels, and the first axis of both weights.")
def outputs_moved(w, channels, size):
    return w.reshape(len(w), channels, size, size).swapaxes(0, 1)


@as_convolution.mistake("A kernel has rows and columns, and reads `channels` channels.")
def single_cell(w, channels, size):
    return w.reshape(*w.shape, 1, 1)


@as_convolution.mistake("A weight of a convolution has four axes: (O, C, k, k).")
def left_as_it_is(w, channels, size):
    return w


@as_convolution.mistake("A linear layer has (out, in) as a convolution has: nothing to transpose.")
def matrix_transposed(w, channels, size):
    return w.T.reshape(len(w), channels, size, size)


@as_convolution.mistake("The kernel slides as it is: it needs no turn.")
def kernel_turned(w, channels, size):
    return w.reshape(len(w), channels, size, size)[:, :, ::-1, ::-1]


@as_convolution.mistake("Flatten goes along the rows: the columns are the last axis.")
def rows_and_columns_exchanged(w, channels, size):
    return w.reshape(len(w), channels, size, size).swapaxes(2, 3)


@as_convolution.mistake("The order is that of Keras. In PyTorch the outputs come first.")
def as_from_keras(w, channels, size):
    return w.reshape(size, size, channels, -1).transpose(3, 2, 0, 1)


@as_convolution.mistake("A weight has four axes: (O, C, k, k), with the outputs first.")
def outputs_axis_forgotten(w, channels, size):
    return w.reshape(-1, size, size)


@as_convolution.mistake("A weight has four axes: rows and columns are two of them.")
def cells_in_one_axis(w, channels, size):
    return w.reshape(len(w), channels, size**2)


def _pretrained(random: Random) -> Iterator[Arguments]:
    """Yield networks with a layer `fc`, and numbers of classes."""
    import torch
    from torch import nn

    class Pretrained(nn.Module):
        def __init__(self, channels: int, classes: int, norm: bool) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, channels, 3)
            self.bn = nn.BatchNorm2d(channels) if norm else nn.Identity()
            self.fc = nn.Linear(channels, classes)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.bn(self.conv(x)).mean((2, 3)))  # type: ignore[no-any-return]

        def __repr__(self) -> str:
            return f"Network(conv, bn, fc={self.fc!r})"

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield Pretrained(4, 10, norm=False), 3
        yield Pretrained(4, 10, norm=True), 5
        yield Pretrained(6, 1000, norm=True), 10


def _what_learns(arguments: Arguments, returned: Any) -> Any:
    """Return the parameters of a network, whether they learn, and the weights that were there."""
    if returned is None and not all(p.requires_grad for p in arguments[0].conv.parameters()):
        return "no model"
    if not hasattr(returned, "named_parameters"):
        return returned
    parameters = dict(returned.named_parameters())
    words = [
        f"{name} {tuple(parameter.shape)} {'learns' if parameter.requires_grad else 'is frozen'}"
        for name, parameter in parameters.items()
    ]
    first = parameters.get("conv.weight")
    return words, None if first is None else first.detach().numpy()


@chapter.code(
    title="Fine-tuning: a new head",
    minutes=10,
    text="`model` is a pretrained network whose last layer is the linear layer `model.fc`, as in a "
    "ResNet. Make it ready for `num_classes` other classes: freeze all that it has learned, and "
    "put a new linear layer, which learns, in the place of `model.fc`. Return the model.",
    cases=_pretrained,
    imports="import torch\nfrom torch import nn",
    result=_what_learns,
    hints=[
        "A new layer learns. So what should be done first, freezing or replacing?",
        "`model.requires_grad_(False)` freezes all parameters that are there.",
        "The new layer reads as many numbers as the old one: `model.fc.in_features`.",
    ],
    explanation="Give the optimizer the parameters afterwards. If there is a batch normalization, "
    "its statistics still move: put it into eval mode.",
)
def replace_head(model, num_classes):
    """Freeze the model, and give it a new last layer."""
    model.requires_grad_(False)
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    return model


@replace_head.mistake("You freeze the new layer, too. Which of the two steps comes first?")
def head_frozen_too(model, num_classes):
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    model.requires_grad_(False)
    return model


@replace_head.mistake("The old layers still learn. To freeze is `requires_grad_(False)`, a method.")
def nothing_frozen(model, num_classes):
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    return model


@replace_head.mistake("Biases learn, too: freeze all parameters, not only the weights.")
def only_weights_frozen(model, num_classes):
    for name, parameter in model.named_parameters():
        if "weight" in name:
            parameter.requires_grad = False
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    return model


@replace_head.mistake("There are more layers than the convolution. Freeze all but the new one.")
def only_convolution_frozen(model, num_classes):
    model.conv.requires_grad_(False)
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    return model


@replace_head.mistake("`model.fc` still has its old weight. Put a new layer in its place.")
def number_overwritten(model, num_classes):
    model.requires_grad_(False)
    model.fc.out_features = num_classes
    return model


@replace_head.mistake("The old last layer goes. The new one takes its place, and reads the same.")
def head_put_behind(model, num_classes):
    model.requires_grad_(False)
    model.fc = nn.Sequential(model.fc, nn.Linear(model.fc.out_features, num_classes))
    return model


@replace_head.mistake("Return the whole model. You return its last layer.")
def head_returned(model, num_classes):
    return replace_head.solution(model, num_classes).fc


@replace_head.mistake("The new layer needs a bias, as the old one had. By default it gets one.")
def head_without_bias(model, num_classes):
    model.requires_grad_(False)
    model.fc = nn.Linear(model.fc.in_features, num_classes, bias=False)
    return model


@replace_head.mistake("It is the other way round: the old layers are frozen, the new one learns.")
def head_frozen_only(model, num_classes):
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    model.fc.requires_grad_(False)
    return model


@replace_head.mistake("`nn.Linear` takes what it reads first, and then the number of classes.")
def sizes_exchanged(model, num_classes):
    model.requires_grad_(False)
    model.fc = nn.Linear(num_classes, model.fc.in_features)
    return model


@replace_head.mistake("The new layer reads the features, as the old one did, not the old scores.")
def reads_old_scores(model, num_classes):
    model.requires_grad_(False)
    model.fc = nn.Linear(model.fc.out_features, num_classes)
    return model


@replace_head.mistake("Not every network has this size: the old layer knows what it reads.")
def size_written_down(model, num_classes):
    model.requires_grad_(False)
    model.fc = nn.Linear(512, num_classes)
    return model


@replace_head.mistake("The last layer of this network is called `fc`. You have added another one.")
def other_name(model, num_classes):
    model.requires_grad_(False)
    model.classifier = nn.Linear(model.fc.in_features, num_classes)
    return model


@replace_head.mistake("A network answers with logits: put a linear layer there, without softmax.")
def head_with_softmax(model, num_classes):
    model.requires_grad_(False)
    model.fc = nn.Sequential(nn.Linear(model.fc.in_features, num_classes), nn.Softmax(dim=1))
    return model


@replace_head.mistake("The bias is still the old one. A new layer brings a weight and a bias.")
def weight_replaced(model, num_classes):
    model.requires_grad_(False)
    model.fc.weight = nn.Parameter(torch.zeros(num_classes, model.fc.in_features))
    return model


@replace_head.mistake("The old last layer is still there. The new one takes its place.")
def model_wrapped(model, num_classes):
    model.requires_grad_(False)
    return nn.Sequential(model, nn.Linear(model.fc.out_features, num_classes))


@replace_head.mistake("Return the model: a function without `return` returns None.")
def model_not_returned(model, num_classes):
    replace_head.solution(model, num_classes)


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


def _reads_every_column(width: Any) -> str | None:
    """Return what is wrong with a width of which columns should stay unread."""
    if isinstance(width, bool) or not isinstance(width, int):
        return "give a whole number"
    if width < 32:
        return "the network needs 32 columns"
    places = conv2d_output_size(width, 32, stride=4)[0]
    unread = width - 32 - 4 * (places - 1)
    return None if unread else f"{places} windows of 32 columns end at the last column"


chapter.search(
    "break_sliding",
    title="Break it: the whole picture is read",
    minutes=4,
    text='Somebody says: "A sliding network reads every column of the picture." The network was '
    "made for 32×32 pixels, has no padding, and the product of its strides is 4. Give a width (an "
    "int, at least 32) of a picture of 32 rows of which some columns are in no window.",
    objection=_reads_every_column,
    example=38,
    hints=[
        "At which columns do the windows end? The first one ends at column 32.",
        "What is left when another step does not fit?",
    ],
    explanation="As in a single layer, a step that does not fit is not made. Up to three columns "
    "at the right are never read.",
    mistakes=[
        ("one_window", 32, "There is one window, and it reads everything."),
        ("one_step", 36, "The second window ends at the last column, exactly."),
        ("two_pictures", 64, "The last of the windows ends at the last column, exactly."),
        ("one_hundred", 100, "68 columns more are 17 steps, without a rest."),
    ],
)
