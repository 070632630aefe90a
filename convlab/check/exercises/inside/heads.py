"""A new head for a pretrained network."""

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
