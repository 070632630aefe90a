"""What a summary consists of: one entry per layer, and the totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from convlab.shapes import ReceptiveField
from convlab.summary import page, table
from convlab.summary.traces import Trace
from convlab.summary.tracker import Seen, Sight


@dataclass(frozen=True)
class LayerField:
    """The receptive field of a layer; each attribute has one entry per direction of the image.

    Attributes
    ----------
    size : tuple of (int or None)
        Cells of the image from the first to the last that a unit depends on, cells of padding
        included. If the units of the layer see differently many, the most. None if unknown.
    jump : tuple of (int or None)
        Cells from the field of one unit to that of the next; 0 if all units see the same; None if
        there is no such number.
    start : tuple of (int or None)
        The first cell that unit 0 sees, negative in the padding; None if unknown.
    whole : tuple of bool
        Whether every unit sees the whole image along this direction.
    """

    size: tuple[int | None, ...]
    jump: tuple[int | None, ...]
    start: tuple[int | None, ...]
    whole: tuple[bool, ...]

    @classmethod
    def of(cls, sight: Sight, lengths: tuple[int, ...]) -> LayerField | None:
        """Return what a sight says; None if it says nothing in any direction."""
        if not any(isinstance(seen, Trace) for seen in sight):
            return None
        numbers = [_numbers(seen) for seen in sight]
        sizes, jumps, starts = zip(*numbers, strict=True)
        whole = (
            size is not None and jump == 0 and start <= 0 and start + size >= length
            for (size, jump, start), length in zip(numbers, lengths, strict=True)
        )
        return cls(sizes, jumps, starts, tuple(whole))

    def to_dict(self) -> dict[str, list[int | None]]:
        """Return size, jump and start as lists."""
        return {"size": [*self.size], "jump": [*self.jump], "start": [*self.start]}


def _numbers(seen: Seen) -> tuple[int | None, int | None, Any]:
    if not isinstance(seen, Trace):
        return None, None, None
    if isinstance(seen.field, ReceptiveField):
        return seen.field.size, seen.field.jump, seen.field.start
    known = [unit for unit in seen.field if unit is not None]
    first = seen.field[0]
    return max(end - start for start, end in known), None, first and first[0]


@dataclass(frozen=True)
class Layer:
    """One layer of a model, or one join of branches inside of a module.

    Attributes
    ----------
    name : str
        The module's dotted name; with the operation in parentheses, such as ``"layer1.0 (add)"``,
        if the module's own code executed it. Empty for the model itself.
    kind : str
        The class of the module, or the name of the operation.
    call : int
        1 for the first time that the module ran, 2 for the second, ...
    output_shape : tuple of ints
        Shape of what it returned, batch included; of the first tensor if there are several.
    parameters : int
        Learned numbers that it uses and no layer before it did.
    macs : int or None
        Multiply-accumulates; None if they cannot be told.
    activation_bytes : int
        Memory of what it returned; 0 if that lies in the memory of its input.
    receptive_field : LayerField or None
        What its units see of the image; None if unknown, or if the model takes no image.
    """

    name: str
    kind: str
    call: int
    output_shape: tuple[int, ...]
    parameters: int
    macs: int | None
    activation_bytes: int
    receptive_field: LayerField | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers, strings and lists."""
        field = self.receptive_field
        return {
            "name": self.name,
            "kind": self.kind,
            "call": self.call,
            "output_shape": [*self.output_shape],
            "parameters": self.parameters,
            "macs": self.macs,
            "activation_bytes": self.activation_bytes,
            "receptive_field": None if field is None else field.to_dict(),
        }


@dataclass(frozen=True, repr=False)
class Summary:
    """A model, layer by layer in the order of execution, and its totals.

    Printed it is a table; in a notebook it shows itself as one.

    Attributes
    ----------
    model : str
        Class of the model.
    input_shapes : tuple of shapes
        What the model was run on, batch included.
    layers : tuple of Layer
        The layers.
    parameters : int
        Learned numbers of the model, shared ones counted once.
    parameters_unused : int
        How many of them took no part in this run, as in a branch for training only.
    parameter_bytes : int
        Memory of the parameters.
    """

    model: str
    input_shapes: tuple[tuple[int, ...], ...]
    layers: tuple[Layer, ...]
    parameters: int
    parameters_unused: int
    parameter_bytes: int

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of all layers; None if one of them could not be told."""
        known = [layer.macs for layer in self.layers if layer.macs is not None]
        return sum(known) if len(known) == len(self.layers) else None

    @property
    def activation_bytes(self) -> int:
        """Memory of what all layers return, as if nothing were freed in between."""
        return sum(layer.activation_bytes for layer in self.layers)

    @property
    def image_size(self) -> tuple[int, ...]:
        """Size of the image, for example (height, width)."""
        return self.input_shapes[0][2:]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers, strings, lists and dictionaries, ready for JSON.

        Examples
        --------
        >>> import torch, convlab.summary
        >>> found = convlab.summary.summary(torch.nn.Conv2d(3, 8, 3), (3, 32, 32)).to_dict()
        >>> found["macs"], found["layers"][0]["receptive_field"]
        (194400, {'size': [3, 3], 'jump': [1, 1], 'start': [0, 0]})
        """
        return {
            "model": self.model,
            "input_shapes": [[*shape] for shape in self.input_shapes],
            "layers": [layer.to_dict() for layer in self.layers],
            "parameters": self.parameters,
            "parameters_unused": self.parameters_unused,
            "parameter_bytes": self.parameter_bytes,
            "macs": self.macs,
            "activation_bytes": self.activation_bytes,
        }

    def __repr__(self) -> str:
        """Return a table in plain text."""
        return table.render(self)

    def _repr_html_(self) -> str:
        """Return a table for a notebook."""
        return page.render(self)
