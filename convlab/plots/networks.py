"""The shapes that flow through a network, from the image down to the scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.patches import Patch, Rectangle

from convlab._validate import integer
from convlab.plots.drawing import DPI, INK, INPUT, LINE, Drawing

# Family of a layer, what its kind contains in small letters, its colour. The colours
# differ in lightness, so that the families stay apart in grey.
FAMILIES = {
    "convolution": ("conv", "#6f9fc8"),
    "pooling": ("pool", "#cfe3b4"),
    "fully connected": ("linear", "#8c4a6b"),
    "input": ("input", INPUT),
}
WIDTH = 5.0  # inches, of which the names leave some; a phone shows it at half the size
PER_ROOT = 0.075  # inches of height for the square root of one pixel
WIDEST = 1.5  # inches for the layer with the most channels
ROW = 0.24  # inches that a line of text needs

Layer = tuple[str, str, tuple[int, ...]]


@dataclass
class _Box:
    name: str
    family: str
    shape: tuple[int, ...]
    last: str
    count: int = 1

    @property
    def title(self) -> str:
        if self.count == 1 or self.last == self.name:
            return self.name
        parent = self.name.rpartition(".")[0] + "."
        return f"{self.name} to {self.last.removeprefix(parent)} ({self.count})"


def network(layers: Iterable[Layer | Mapping[str, Any]], depth: int | None = None) -> Drawing:
    """Draw what each layer of a network puts out, one box per layer, from top to bottom.

    A box is a view from the side: its height stands for the height and width of the map,
    its width for the number of channels, both as square roots, so that 1 and 512 fit on
    one page. The numbers stand beside it.

    Parameters
    ----------
    layers : iterable of (name, kind, shape), or of mappings
        In the order of the computation. The kind is the name of the layer's class, such as
        ``"Conv2d"``; the shape is that of the output without its batch, ``(C, H, W)`` or
        ``(features,)``. A mapping has name and kind under ``"name"`` and ``"kind"``, and under
        ``"output_shape"`` the shape with its batch, ``(N, C, H, W)`` or ``(N, features)``, as
        in ``summary(model, input).to_dict()["layers"]``.
        Drawn are convolutions, pooling and linear layers, and what has the kind
        ``"Input"``; the others are left out.
    depth : int, optional
        Draw one box for all layers whose names begin with the same `depth` parts: with 1,
        ``layer1.0.conv1`` and ``layer1.1.conv2`` are ``layer1``, with the shape that comes
        out at the end. Without it, neighbours of one kind and one shape share a box, and their
        number stands behind their names.

    Returns
    -------
    Drawing
        One axes, with a legend of the kinds.

    Raises
    ------
    TypeError
        If a layer is neither a mapping nor a triple, or `depth` is not an int.
    ValueError
        If a mapping lacks a key, the shape of a layer to be drawn is of another form, `depth`
        is below 1, or there is nothing to draw.

    Examples
    --------
    >>> drawing = network([("image", "Input", (1, 28, 28)), ("conv", "Conv2d", (6, 28, 28)),
    ...                    ("relu", "ReLU", (6, 28, 28)), ("pool", "MaxPool2d", (6, 14, 14))])
    >>> [text.get_text() for text in drawing.axes[0].texts][:4]
    ['image', '1 × 28 × 28', 'conv', '6 × 28 × 28']
    """
    boxes = _boxes([_layer(layer) for layer in layers], depth)
    if not boxes:
        raise ValueError("nothing to draw: no convolution, pooling or linear layer")
    heights = [PER_ROOT * _pixels(box.shape) ** 0.5 for box in boxes]
    scale = WIDEST / max(box.shape[0] for box in boxes) ** 0.5
    rows = [max(height + 0.06, ROW) for height in heights]
    drawing = Drawing(figsize=(WIDTH, sum(rows) + 0.35), dpi=DPI)
    axis = drawing.add_axes((0, 0, 1, 1))
    axis.set(xlim=(-WIDTH / 2, WIDTH / 2), ylim=(sum(rows) + 0.35, 0))
    axis.set_axis_off()
    top = 0.0
    for box, height, row in zip(boxes, heights, rows, strict=True):
        middle, width = top + row / 2, max(scale * box.shape[0] ** 0.5, 0.04)
        axis.add_patch(
            Rectangle(
                (-width / 2, middle - height / 2),
                width,
                height,
                facecolor=FAMILIES[box.family][1],
                edgecolor=LINE,
                linewidth=0.8,
            )
        )
        told: dict[str, Any] = {"va": "center", "color": INK, "fontsize": 10}
        axis.text(-WIDEST / 2 - 0.1, middle, box.title, ha="right", **told)
        axis.text(WIDEST / 2 + 0.1, middle, " × ".join(map(str, box.shape)), ha="left", **told)
        top += row
    shown = [family for family in FAMILIES if any(box.family == family for box in boxes)]
    axis.legend(
        handles=[Patch(facecolor=FAMILIES[f][1], edgecolor=LINE, label=f) for f in shown],
        loc="lower center",
        ncols=len(shown),
        fontsize=9,
        columnspacing=1.2,
        handlelength=1.2,
        frameon=False,
        borderaxespad=0,
    )
    return drawing


def _layer(layer: Layer | Mapping[str, Any]) -> Layer:
    """Make a triple of a layer, and refuse what is none."""
    if isinstance(layer, Mapping):
        missing = {"name", "kind", "output_shape"} - set(layer)
        if missing:
            raise ValueError(f"a layer has no {sorted(missing)}, only {sorted(layer)}")
        return layer["name"], layer["kind"], tuple(layer["output_shape"])[1:]
    if isinstance(layer, str) or len(layer) != 3:
        raise TypeError(f"a layer must be (name, kind, shape), got {layer!r}")
    name, kind, shape = layer
    return name, kind, tuple(shape)


def _family(kind: str) -> str | None:
    """Say to which family a kind of layer belongs, or None if it is not drawn."""
    small = kind.lower()
    return next((family for family, (part, _) in FAMILIES.items() if part in small), None)


def _boxes(layers: Iterable[Layer], depth: int | None) -> list[_Box]:
    """Put layers that belong together into one box."""
    if depth is not None:
        depth = integer(depth, "depth", minimum=1)
    boxes: list[_Box] = []
    for name, kind, shape in layers:
        family = _family(kind)
        if family is None:
            continue
        if len(shape) not in (1, 3) or min(shape) < 1:
            raise ValueError(
                f"the shape of {name!r} must be (C, H, W) or (features,), and before that the "
                f"batch if it comes from a summary, got {shape}"
            )
        title = name if depth is None else ".".join(name.split(".")[:depth])
        previous = boxes[-1] if boxes else None
        if previous and depth is not None and previous.name == title:
            previous.shape = shape
            previous.family = min(previous.family, family, key=list(FAMILIES).index)
        elif previous and depth is None and (previous.family, previous.shape) == (family, shape):
            previous.count, previous.last = previous.count + 1, name
        else:
            boxes.append(_Box(title, family, shape, title))
    return boxes


def _pixels(shape: tuple[int, ...]) -> float:
    """Return the side of a square with as many pixels as the map has; 1 for a vector."""
    return 1.0 if len(shape) == 1 else (shape[1] * shape[2]) ** 0.5
