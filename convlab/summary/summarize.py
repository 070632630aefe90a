"""Summarize a model: its layers, and their totals."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from convlab._validate import integer
from convlab.summary.axis_field import AxisField, TensorFields
from convlab.summary.formatting import (
    format_bytes,
    format_count,
    format_shape,
    html_table,
    text_table,
)
from convlab.summary.layers import Layer
from convlab.summary.preserving import Preserved
from convlab.summary.recorder import Recorder
from convlab.summary.tracker import Tracker


@dataclass(frozen=True, repr=False)
class Summary:
    """The layers of a model in the order of execution, and their totals.

    It prints as a table, and a notebook displays it as one.

    Attributes
    ----------
    model : str
        Class of the model.
    input_shapes : tuple of shapes
        Shapes of the inputs it ran on, batch included.
    layers : tuple of Layer
        The layers.
    parameters : int
        Number of parameters of the model, shared ones counted once.
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
        """Multiply-accumulates of all layers; None if those of any layer are unknown."""
        known = [layer.macs for layer in self.layers if layer.macs is not None]
        return sum(known) if len(known) == len(self.layers) else None

    @property
    def activation_bytes(self) -> int:
        """Memory of the outputs of all layers, as if nothing were freed in between."""
        return sum(layer.activation_bytes for layer in self.layers)

    @property
    def image_size(self) -> tuple[int, ...]:
        """Size of the image, for example (height, width)."""
        return self.input_shapes[0][2:]

    def to_dict(self) -> dict[str, Any]:
        """Return all attributes as numbers, strings, lists and dictionaries, ready for JSON.

        Examples
        --------
        >>> import torch, convlab.summary
        >>> result = convlab.summary.summary(torch.nn.Conv2d(3, 8, 3), (3, 32, 32)).to_dict()
        >>> result["macs"], result["layers"][0]["receptive_field"]
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
        return text_table(*self._content())

    def _repr_html_(self) -> str:
        """Return a table for a notebook."""
        return html_table(*self._content())

    def _content(self) -> tuple[str, Sequence[Layer], list[str], bool]:
        """Return title, layers, totals, and whether there are receptive fields."""
        title = f"{self.model}, input {', '.join(map(format_shape, self.input_shapes))}"
        unused = f", of which {format_count(self.parameters_unused)} took no part in this run"
        known = sum(layer.macs or 0 for layer in self.layers)
        at_least = "at least " if self.macs is None and known else ""
        totals = [
            f"parameters: {format_count(self.parameters)} ({format_bytes(self.parameter_bytes)})"
            + (unused if self.parameters_unused else ""),
            f"multiply-accumulates: {at_least}{format_count(known or self.macs)}",
            f"activations: {format_bytes(self.activation_bytes)}",
        ]
        return title, self.layers, totals, bool(self.image_size)


def summary(
    model: nn.Module,
    input: Sequence[int] | Tensor | Sequence[Tensor] | None = None,
    *,
    input_size: Sequence[int] | None = None,
    input_data: Tensor | Sequence[Tensor] | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Summary:
    """Run a model once and list its layers: output shapes, parameters, cost, receptive fields.

    The summary shows what is executed, in its order, not what is declared: a module that runs twice
    has two rows, one that does not run has none.

    The receptive field is followed through convolutions, pooling, interpolation, sums and
    concatenations of branches, reshapes, normalizations and products of matrices. It is the
    theoretical one: the cells on which a unit *can* depend, all channels at its place taken
    together, and beyond the edge the cells of padding. Only where a layer reads some channels of a
    concatenation or of unfolded windows can it be too large: it is that of all channels. After an
    operation without a rule, such as a cumulative sum, it is None, printed ``?``, until the end of
    the model.

    Parameters
    ----------
    model : nn.Module
        The model. It runs in evaluation mode (its flags are set, without calling ``eval()``) and
        without gradients. Its flags, attributes, parameters and buffers and the state of the random
        number generators are restored afterwards, and so are tensors given as input.
    input : tuple of ints, tensor or tuple of tensors
        ``(C, H, W)``, to which a batch of one is added, or the whole shape with the batch first,
        such as ``(N, C, H, W)``, ``(N, features)`` or ``(N, C, D, H, W)``, and ``(N, C, L)`` if
        all convolutions of the model are 1-D; the input is then filled with ones. Tensors are
        passed to the model unchanged, several as its positional arguments; the first must be the
        image.
    input_size : tuple of ints, optional
        Instead of `input`: the whole shape with the batch first, of any length, as in torchinfo;
        both take a list of such shapes, one per input.
    input_data : tensor or tuple of tensors, optional
        Instead of `input`: the tensors, as in torchinfo.
    dtype, device : optional
        Of an input made from a shape; by default those of the model's first parameter.

    Raises
    ------
    TypeError
        If `model` is not an ``nn.Module``, the input is neither ints nor tensors, or not exactly
        one of `input`, `input_size` and `input_data` is given.
    ValueError
        If a size is below 1, `input` has fewer than two sizes, or the model has parameters whose
        shapes are not known before its first run (``nn.LazyConv2d``).
    RuntimeError
        If the model fails; the message names the layer and repeats the error.

    Notes
    -----
    Multiply-accumulates are those of convolutions, linear layers, matrix products and attention,
    as in the tables of torchvision, for the whole batch. The memory of the activations is that of
    the rows of the table; intermediate results without a row, such as a sum with a constant, are
    not included. Values that leave PyTorch (``tensor.numpy()``) cannot be followed.

    Sources: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural
    Networks", Distill (2019); the documentation of ``torch.utils._python_dispatch``.

    Examples
    --------
    >>> model = nn.Sequential(
    ...     nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(2),
    ...     nn.Flatten(), nn.Linear(8 * 16 * 16, 10))
    >>> result = summary(model, (3, 32, 32))
    >>> result.layers[2].name, result.layers[2].kind, result.layers[2].receptive_field.size
    ('2', 'MaxPool2d', (6, 6))
    >>> print(result)
    Sequential, input 1x3x32x32
    layer  kind       output     parameters     macs    memory  field  jump
    -----------------------------------------------------------------------
    0      Conv2d     1x8x32x32         608  614,400  32.0 KiB      5     1
    1      ReLU       1x8x32x32           0        0       0 B      5     1
    2      MaxPool2d  1x8x16x16           0        0   8.0 KiB      6     2
    3      Flatten    1x2048              0        0       0 B      6     2
    4      Linear     1x10           20,490   20,480      40 B  whole     -
    -----------------------------------------------------------------------
    parameters: 21,098 (82.4 KiB)
    multiply-accumulates: 634,880
    activations: 40.0 KiB
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be an nn.Module, got {type(model).__name__}")
    if any(is_lazy(x) for x in [*model.parameters(), *model.buffers()]):
        raise ValueError("model has parameters without a shape (a lazy module): run it once first")
    options = {"input": input, "input_size": input_size, "input_data": input_data}
    arguments = {name: value for name, value in options.items() if value is not None}
    if len(arguments) != 1:
        names = " and ".join(arguments) or "none of them"
        raise TypeError(f"give exactly one of input, input_size and input_data, got {names}")
    inputs = _make_inputs(model, *arguments.popitem(), dtype, device)
    image = inputs[0]
    tracker = Tracker(num_axes=max(image.dim() - 2, 0))
    for x in inputs:
        tracker.set_fields(x, _input_fields(x, image, tracker))
    preserved = Preserved(model, inputs)
    recorder = Recorder(model, tracker, preserved)
    try:
        with _undisturbed(model), preserved.evaluation_mode(), recorder.recording():
            recorder.add_outputs(model(*inputs))
            layers = recorder.layers(image.shape[2:])
            parameters = list(model.parameters())
    except Exception as error:
        raise RuntimeError(f"{type(error).__name__} in {recorder.location}: {error}") from error
    num_parameters = sum(x.numel() for x in parameters)
    unused = num_parameters - sum(layer.parameters for layer in layers)
    parameter_bytes = sum(x.numel() * x.element_size() for x in parameters)
    shapes = tuple(tuple(x.shape) for x in inputs)
    return Summary(type(model).__name__, shapes, layers, num_parameters, unused, parameter_bytes)


def _make_inputs(
    model: nn.Module, name: str, value: Any, dtype: torch.dtype | None, device: Any
) -> list[Tensor]:
    """Return the positional arguments of the model, made from the argument called `name`."""
    takes_shape, takes_tensors = name != "input_data", name != "input_size"
    if takes_tensors and isinstance(value, Tensor):
        return [value]
    entries = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    if takes_tensors and entries and all(isinstance(entry, Tensor) for entry in entries):
        # The same tensor given twice is two inputs.
        return [x if i == 0 else x.view_as(x) for i, x in enumerate(entries)]
    if takes_tensors and any(isinstance(entry, Tensor) for entry in entries):
        raise TypeError(f"{name} must hold tensors only, or ints only, got {_types(entries)}")
    if takes_shape and entries and all(isinstance(entry, list | tuple) for entry in entries):
        shapes = [_make_inputs(model, "input_size", entry, dtype, device) for entry in entries]
        return [x for (x,) in shapes]
    if not takes_shape or not entries:
        expected = {
            "input": "a tuple of ints such as (3, 224, 224), a tensor or a tuple of tensors",
            "input_size": "a tuple of ints such as (1, 3, 224, 224)",
            "input_data": "a tensor or a tuple of tensors",
        }
        got = f"{type(value).__name__} {reprlib.repr(value)}"
        raise TypeError(f"{name} must be {expected[name]}, got {got}")
    shape = [integer(size, f"{name}[{i}]", minimum=1) for i, size in enumerate(entries)]
    if len(shape) < 2 and name == "input":
        raise ValueError(
            f"input must be (C, H, W), or a whole shape with the batch first, such as "
            f"(N, C, H, W), got {tuple(shape)}"
        )
    if len(shape) == 3 and name == "input" and not _takes_sequences(model):
        shape = [1, *shape]
    first = next((x for x in model.parameters() if x.is_floating_point()), None)
    if first is not None:
        dtype, device = dtype or first.dtype, device or first.device
    return [torch.ones(shape, dtype=dtype, device=device)]


def _types(entries: Sequence[Any]) -> str:
    """Return the types of several values, for an error message."""
    return ", ".join(type(entry).__name__ for entry in entries)


def _takes_sequences(model: nn.Module) -> bool:
    """Return whether all convolutions of a model are 1-D: its input is (N, C, L), not (C, H, W)."""
    windows = [module.kernel_size for module in model.modules() if hasattr(module, "kernel_size")]
    ranks = {len(window) for window in windows if isinstance(window, tuple)}
    return ranks == {1}


def _input_fields(x: Tensor, image: Tensor, tracker: Tracker) -> TensorFields:
    """Return the fields of an input, which is an image if it has the size of the first input."""
    if x.shape[2:] == image.shape[2:] and x.dim() == image.dim():
        return tuple(AxisField.of_image(dim, x.shape[dim]) for dim in range(2, x.dim()))
    # The cells of a map of another size are not those of the image; vectors and scalars have none.
    return tracker.unknown if x.dim() > 2 else tracker.independent


@contextmanager
def _undisturbed(model: nn.Module) -> Iterator[None]:
    """Run without gradients and fused attention; restore the random number generators."""
    devices = {x.device for x in model.parameters() if x.device.type == "cuda"}
    fastpath = torch.backends.mha.get_fastpath_enabled()
    rng_states = torch.random.fork_rng(devices=sorted(devices, key=str))
    with rng_states, torch.no_grad():
        # The fused kernels of attention hide the operations inside.
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fastpath)
