"""Exercise: a new head for a pretrained network."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from convlab.check.exercise import Arguments
from convlab.check.exercises.inside.values import chapter

if TYPE_CHECKING:
    import torch
    from torch import nn


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


def _known(name: str) -> str:
    """Return the name of a parameter, without that of a layer which was added."""
    layer, _, rest = name.partition(".")
    return name if layer in {"conv", "bn", "fc"} or layer.isdigit() else f"(another layer).{rest}"


def _what_learns(arguments: Arguments, returned: Any) -> Any:
    """Return the parameters of a network, whether they learn, and the weights that were there."""
    model = arguments[0] if returned is None else returned
    if not hasattr(model, "named_parameters"):
        return returned
    parameters = {_known(name): parameter for name, parameter in model.named_parameters()}
    if returned is None and parameters["conv.weight"].requires_grad:
        return None
    words = [
        f"{name} {tuple(parameter.shape)} {'learns' if parameter.requires_grad else 'is frozen'}"
        for name, parameter in parameters.items()
    ]
    first = parameters.get("conv.weight")
    weight = None if first is None else first.detach().numpy()
    return None if returned is None else [", ".join(parameters)], words, weight


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


@replace_head.mistake(
    "The last layer is called `fc`, and is still there. You have added another one."
)
def other_name(model, num_classes):
    model.requires_grad_(False)
    model.head = nn.Linear(model.fc.in_features, num_classes)
    return model


@replace_head.mistake("In the place of `fc` is one linear layer, without softmax, ReLU or dropout.")
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


@replace_head.mistake("The old last layer goes. The new one takes its place, and reads the same.")
def head_put_behind_a_relu(model, num_classes):
    model.requires_grad_(False)
    new = nn.Linear(model.fc.out_features, num_classes)
    model.fc = nn.Sequential(model.fc, nn.ReLU(), new)
    return model


@replace_head.mistake("In the place of `fc` is one linear layer, without softmax, ReLU or dropout.")
def head_with_dropout(model, num_classes):
    model.requires_grad_(False)
    model.fc = nn.Sequential(nn.Dropout(0.5), nn.Linear(model.fc.in_features, num_classes))
    return model


@replace_head.mistake(
    "The outputs are still those of the old layer. A new one for `num_classes` takes its place."
)
def old_head_learns(model, num_classes):
    model.requires_grad_(False)
    model.fc.requires_grad_(True)
    return model


@replace_head.mistake("`model.fc` still is the old layer, and nothing is frozen.")
def number_overwritten_only(model, num_classes):
    model.fc.out_features = num_classes
    return model


@replace_head.mistake("Freezing leaves the weights as they are. Yours have been overwritten.")
def weights_set_to_zero(model, num_classes):
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return replace_head.solution(model, num_classes)


@replace_head.mistake("How many classes there are is an argument: `num_classes`, not a number.")
def ten_classes(model, num_classes):
    return replace_head.solution(model, 10)


@replace_head.mistake("The maps are averaged before the last layer: it is linear, no convolution.")
def head_is_a_convolution(model, num_classes):
    model.requires_grad_(False)
    model.fc = nn.Conv2d(model.fc.in_features, num_classes, 1)
    return model


@replace_head.mistake("The bias of the new layer is frozen. Freeze first, and then replace.")
def new_bias_frozen(model, num_classes):
    model = head_frozen_too(model, num_classes)
    model.fc.weight.requires_grad_(True)
    return model


@replace_head.mistake("Its layers in a row are another model. Replace `model.fc` in this one.")
def layers_in_a_row(model, num_classes):
    model.requires_grad_(False)
    new = nn.Linear(model.fc.in_features, num_classes)
    return nn.Sequential(*list(model.children())[:-1], new)


@replace_head.mistake("Its layers in a row are another model, and here the old ones still learn.")
def layers_in_a_row_all_learn(model, num_classes):
    new = nn.Linear(model.fc.in_features, num_classes)
    return nn.Sequential(*list(model.children())[:-1], new)


@replace_head.mistake("Nothing is frozen, and the new layer has another name than `fc`.")
def other_name_and_all_learn(model, num_classes):
    model.head = nn.Linear(model.fc.in_features, num_classes)
    return model


@replace_head.mistake("Replace the whole layer: a new weight alone leaves the old bias.")
def weight_replaced_all_learn(model, num_classes):
    model.fc.weight = nn.Parameter(torch.zeros(num_classes, model.fc.in_features))
    return model
