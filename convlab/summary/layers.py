"""Rows of a summary: a layer, its cost and its receptive field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LayerField:
    """The receptive field of a layer; each attribute has one entry per axis of the image.

    Attributes
    ----------
    size : tuple of (int or None)
        Cells of the image from the first to the last on which a unit depends, cells of padding
        included; the maximum if the units of the layer differ. None if unknown.
    jump : tuple of (int or None)
        Cells from the field of one unit to that of the next; 0 if all units have the same field;
        None if there is no such number.
    start : tuple of (int or None)
        The first cell on which unit 0 depends, negative in the padding; None if unknown.
    whole : tuple of bool
        Whether every unit depends on the whole image along this axis.
    """

    size: tuple[int | None, ...]
    jump: tuple[int | None, ...]
    start: tuple[int | None, ...]
    whole: tuple[bool, ...]

    def to_dict(self) -> dict[str, list[int | None]]:
        """Return size, jump and start as lists."""
        return {"size": [*self.size], "jump": [*self.jump], "start": [*self.start]}


@dataclass(frozen=True)
class Layer:
    """One layer of a model, or one operation that the code of a module executes itself.

    Attributes
    ----------
    name : str
        The dotted name of the module, empty for the model; for an operation, that of the module
        that executes it and its own in parentheses, such as ``"layer1.0 (add)"``.
    kind : str
        The class of the module, or the name of the operation.
    call : int
        1 for the first time that the module runs, 2 for the second, ...
    output_shape : tuple of ints
        Shape of the output, batch included; of the first tensor if there are several.
    parameters : int
        Number of parameters that it uses and no layer before it did.
    macs : int or None
        Multiply-accumulates; None if unknown.
    activation_bytes : int
        Memory of the output; 0 if the output shares the memory of the input.
    receptive_field : LayerField or None
        The cells of the image on which its units depend; None if unknown, or if the model takes no
        image.
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
        """Return the attributes as numbers, strings, lists and dictionaries."""
        field = self.receptive_field
        return {
            **vars(self),
            "output_shape": [*self.output_shape],
            "receptive_field": None if field is None else field.to_dict(),
        }
