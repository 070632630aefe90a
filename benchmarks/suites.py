"""Suites: cases that are measured together, with the same contenders, into one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from benchmarks.layers import (
    DEPTHWISE,
    GROUPED,
    LADDER,
    OTHER,
    REPLACED,
    RESNET18,
    SMALL,
    TINY,
    VGG16,
    Layer,
)

FORWARD, GRADIENTS, GRAD_INPUT, GRAD_WEIGHT = "forward", "gradients", "grad_input", "grad_weight"
SEPARABLE = "separable"


@dataclass(frozen=True)
class Case:
    """One measurement: a layer, a batch size, a dtype and a task.

    `task` is ``"forward"``, one gradient (``"grad_input"``, ``"grad_weight"``) or
    ``"gradients"``, all three in one call; or ``"separable"``, the output of a layer whose weight
    is that of a depthwise convolution times that of a 1x1 convolution. `count` is the number of
    times that the layer occurs in the network, if the case belongs to one.
    """

    layer: Layer
    images: int
    dtype: str = "float32"
    task: str = FORWARD
    count: int | None = None

    @property
    def gflop(self) -> float:
        """The operations of the definition, in 10^9; as many for a gradient as for the output.

        Those of a separable layer are the operations of its two convolutions.
        """
        if self.task == SEPARABLE:
            layer = self.layer
            depthwise = replace(layer, kernels=layer.channels, groups=layer.channels)
            pointwise = Layer(layer.channels, layer.kernels, layer.output_size, 1)
            return (depthwise.flop(self.images) + pointwise.flop(self.images)) / 1e9
        return self.layer.flop(self.images) * (2 if self.task == GRADIENTS else 1) / 1e9


@dataclass(frozen=True)
class Suite:
    """Cases with the same contenders: "methods", "prepacked", "peers", "all" or "ungrouped".

    "prepacked" compares weights that are prepared once; "ungrouped" compares PyTorch's grouped or
    separable convolution with the ordinary layer.
    """

    title: str
    cases: tuple[Case, ...]
    rivals: str = "methods"

    def shortened(self) -> Suite:
        """Keep one case per task, batch size and dtype, for a test run."""
        first: dict[tuple[str, int, str], Case] = {}
        for case in self.cases:
            first.setdefault((case.task, case.images, case.dtype), case)
        return Suite(self.title, tuple(first.values()), self.rivals)


def _network(counts: Mapping[Layer, int], images: int) -> list[Case]:
    return [Case(layer, images, count=count) for layer, count in counts.items()]


def _layers(layers: Iterable[Layer], images: int) -> list[Case]:
    return [Case(layer, images) for layer in layers]


_THREE_BY_THREE = [layer for layer in (*RESNET18, *VGG16) if layer.kernel_size == 3]
_MIDDLE = [
    layer
    for layer in _THREE_BY_THREE
    if layer.channels >= 64 and layer.kernels <= 256 and layer.size <= 112
]

SUITES = {
    "ladder": Suite(
        "From seven loops to a library: one layer of ResNet-18", (Case(LADDER, 1),), rivals="all"
    ),
    "resnet18": Suite(
        "Convolutions of ResNet-18 at 224x224", (*_network(RESNET18, 1), *_network(RESNET18, 8))
    ),
    "vgg16": Suite("Convolutions of VGG-16 at 224x224", (*_network(VGG16, 1), *_network(VGG16, 8))),
    "prepacked": Suite(
        "Weights prepared once: the distinct convolutions of ResNet-18 and VGG-16",
        (*_layers((*RESNET18, *VGG16), 1), *_layers((*RESNET18, *VGG16), 8)),
        rivals="prepacked",
    ),
    "small": Suite("Layers of small networks", tuple(_layers(SMALL, 64))),
    "depthwise": Suite(
        "Depthwise layers of MobileNet", (*_layers(DEPTHWISE, 1), *_layers(DEPTHWISE, 8))
    ),
    "other": Suite(
        "Grouped, dilated, 1x1, 5x5 and larger kernels", (*_layers(OTHER, 1), *_layers(OTHER, 8))
    ),
    "float64": Suite(
        "3x3 layers in float64",
        tuple(Case(layer, 1, "float64") for layer in _THREE_BY_THREE if layer.size <= 56),
    ),
    "backward": Suite(
        "Gradients of 3x3 layers with 64 to 256 channels",
        tuple(
            Case(layer, 8 if layer in RESNET18 else 1, task=task)
            for task in (GRAD_INPUT, GRAD_WEIGHT, GRADIENTS)
            for layer in _MIDDLE
        ),
    ),
    "peers": Suite(
        "What people use instead",
        (*_layers((*RESNET18, *VGG16), 1), *_layers(SMALL, 64)),
        rivals="peers",
    ),
    "groups": Suite(
        "Groups beside the ordinary layer, each ratio within one memory format",
        (
            *_layers(GROUPED, 1),
            *_layers(GROUPED, 8),
            *(Case(layer, images, task=SEPARABLE) for images in (1, 8) for layer in REPLACED),
        ),
        rivals="ungrouped",
    ),
    # Not among the defaults: a test run of one second.
    "smoke": Suite(
        "One tiny layer",
        (
            Case(TINY, 2),
            Case(TINY, 2, "float64"),
            *(Case(TINY, 2, task=task) for task in (GRAD_INPUT, GRAD_WEIGHT, GRADIENTS)),
        ),
        rivals="all",
    ),
}
DEFAULT = tuple(name for name in SUITES if name != "smoke")
