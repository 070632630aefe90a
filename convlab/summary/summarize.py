"""Summarize a model: its layers, and their totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils._pytree import tree_map_only

from convlab._model_state import ModelState, random_generators
from convlab._validate import integer
from convlab.summary import formatting
from convlab.summary.formatting import format_bytes, format_count, format_shape
from convlab.summary.inputs import find_image, given_arguments, input_fields, make_inputs
from convlab.summary.layers import Layer
from convlab.summary.operation import tensors_in_object
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
        Shapes of the inputs it ran on, batch included, keyword arguments last.
    image_size : tuple of ints
        Size of the image, for example (height, width); empty if no input is known to be one.
    layers : tuple of Layer
        The layers.
    parameters : int
        Number of parameters of the model, shared ones counted once.
    parameters_trainable : int
        How many of them require a gradient; the others are frozen.
    parameters_unused : int
        How many of them took no part in this run, as in a branch for training only.
    parameter_bytes : int
        Memory of the parameters.
    macs_known : int
        Multiply-accumulates that were counted: all, or a lower bound where `macs` is None.
    """

    model: str
    input_shapes: tuple[tuple[int, ...], ...]
    image_size: tuple[int, ...]
    layers: tuple[Layer, ...]
    parameters: int
    parameters_trainable: int
    parameters_unused: int
    parameter_bytes: int
    macs_known: int

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of all layers; None if those of any layer are unknown."""
        known = [layer.macs for layer in self.layers if layer.macs is not None]
        return sum(known) if len(known) == len(self.layers) else None

    @property
    def activation_bytes(self) -> int:
        """Memory of the outputs of all layers, as if nothing were freed in between."""
        return sum(layer.activation_bytes for layer in self.layers)

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
            **{name: value for name, value in vars(self).items() if name != "image_size"},
            "input_shapes": [[*shape] for shape in self.input_shapes],
            "layers": [layer.to_dict() for layer in self.layers],
            "macs": self.macs,
            "activation_bytes": self.activation_bytes,
        }

    def __repr__(self) -> str:
        """Return a table in plain text."""
        return formatting.text_table(*self._content())

    def _repr_html_(self) -> str:
        """Return a table for a notebook."""
        return formatting.html_table(*self._content())

    def _content(self) -> tuple[str, Sequence[Layer], list[str], bool]:
        """Return title, layers, totals, and whether there are receptive fields."""
        title = f"{self.model}, input {', '.join(map(format_shape, self.input_shapes))}"
        unused = f", of which {format_count(self.parameters_unused)} took no part in this run"
        frozen = self.parameters - self.parameters_trainable
        at_least = "at least " if self.macs is None and self.macs_known else ""
        totals = [
            f"parameters: {format_count(self.parameters)} ({format_bytes(self.parameter_bytes)})"
            + (unused if self.parameters_unused else ""),
            *([f"frozen parameters: {format_count(frozen)}"] if frozen else []),
            f"multiply-accumulates: {at_least}{format_count(self.macs_known or self.macs)}",
            f"activations: {format_bytes(self.activation_bytes)}",
        ]
        return title, self.layers, totals, bool(self.image_size)


def summary(
    model: nn.Module,
    input: Any = None,
    *,
    input_size: Sequence[Any] | None = None,
    input_data: Any = None,
    dtypes: Sequence[torch.dtype] | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    depth: int | None = None,
    **kwargs: Any,
) -> Summary:
    """Run a model once and list its layers: output shapes, parameters, cost, receptive fields.

    The summary shows what is executed, in its order, not what is declared: a module that runs twice
    has two rows, one that does not run has none.

    The receptive field is the theoretical one: the cells on which a unit *can* depend, all channels
    at its place taken together, and beyond the edge the cells of padding. Only where a layer reads
    some channels of a concatenation or of unfolded windows can it be too large. After an operation
    without a rule, such as a cumulative sum, and after a number was read from a tensor that depends
    on the input (``item()``), it is None, printed ``?``, until the end of the model.

    Parameters
    ----------
    model : nn.Module
        The model. It runs in evaluation mode (its flags are set, without calling ``eval()``) and
        without gradients. Its flags, attributes, parameters and buffers and the state of the random
        number generators are restored afterwards, and so are tensors given as input; not what it
        writes elsewhere, such as global variables and files.
    input : tuple of ints, tensor or tuple of tensors
        ``(C, H, W)``, to which a batch of one is added, or the whole shape with the batch first,
        such as ``(N, C, H, W)`` or ``(N, features)``. If the windows of a model, those of its
        convolutions and pooling layers, are all 1-D, ``(C, L)`` gets the batch and ``(N, C, L)`` is
        whole; if all are 3-D, ``(C, D, H, W)`` gets the batch. If such a model, or one with
        recurrent or attention layers and no windows, fails with this batch, the shape is taken as
        whole, such as ``(N, tokens, features)``. Tensors are passed on, several as positional
        arguments.
    input_size : tuple of ints, optional
        Instead of `input`, as in torchinfo: the whole shape with the batch first, of any length.
        Both take a list of such shapes, one per input.
    input_data : tensor, tuple or dictionary, optional
        Instead of `input`, as in torchinfo: a tensor, the positional arguments, or the keyword
        arguments; tensors may be nested in lists, dictionaries and objects, and other values are
        passed on. A list that is itself one argument needs another: ``[[image1, image2]]``.
    dtypes : list of torch.dtype, optional
        Of the inputs made from shapes, one per input. They are filled with ones (True), and with
        zeros if their dtype is one of integers, because these may be indices.
    dtype, device : optional
        Of all inputs made from shapes; by default those of the model's first parameter.
    depth : int, optional
        Show layers down to this depth only, as in torchinfo: 1 for the children of the model. The
        row of a layer at this depth has the output of the layer, and the sum of parameters, macs
        and memory of all that runs inside; in a container that does not run itself, such as
        ``nn.ModuleList``, layers that run one after the other share a row.
    **kwargs
        Keyword arguments for the ``forward`` method of the model. Their tensors are inputs too; one
        whose name is a parameter of `summary` can be given in `input_data`.

    Raises
    ------
    TypeError
        If an argument has a wrong type, or not exactly one of `input`, `input_size` and
        `input_data` is given.
    ValueError
        If a size is below 1, `depth` is negative, `input` has fewer than two sizes, `dtypes` has
        not one entry per input, or the model was not run since it was made of lazy modules.
    RuntimeError
        If the model fails; the message names the layer and repeats the error.

    Notes
    -----
    If the windows of a model all have the same number of axes, the image is the first input with
    more dimensions, and its axes are the last of them. Otherwise, and without windows, it is the
    first input with more than three dimensions, and its axes are all but the first two.

    Multiply-accumulates are those of convolutions, linear layers, matrix products and attention,
    as in the tables of torchvision, for the whole batch; None where an operation may multiply
    matrices and has no formula. The memory of the activations is that of the rows of the table;
    intermediate results without a row, such as a sum with a constant, are not included.

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
    if depth is not None:
        depth = integer(depth, "depth", minimum=0)
    options = {"input": input, "input_size": input_size, "input_data": input_data}
    options = {name: value for name, value in options.items() if value is not None}
    if len(options) > 1 or not (options or tensors_in_object(kwargs)):
        names = " and ".join(options) or "none of them"
        raise TypeError(f"give exactly one of input, input_size and input_data, got {names}")
    name, value = options.popitem() if options else ("input_data", kwargs)
    if name == "input_data" or (name == "input" and tensors_in_object(value)):
        args, data = given_arguments(name, value)
        return _run(model, args, {**data, **kwargs}, depth)
    readings = make_inputs(model, name, value, dtype if dtypes is None else dtypes, device)
    failures = []
    for args in readings:
        try:
            return _run(model, args, kwargs, depth)
        except RuntimeError as error:
            failures.append(error)
    raise failures[0]


def _run(
    model: nn.Module, args: Sequence[Any], kwargs: dict[str, Any], depth: int | None
) -> Summary:
    """Run a model on the arguments of its forward method and summarize it."""
    ids: set[int] = set()

    def as_own_input(x: Tensor) -> Tensor:
        """Return a tensor, or a view of it if it was given before: they are two inputs."""
        if id(x) in ids:
            return x.view_as(x)
        ids.add(id(x))
        return x

    args, kwargs = tree_map_only(Tensor, as_own_input, (args, kwargs))
    inputs = tensors_in_object([args, kwargs])
    image, num_axes = find_image(model, inputs)
    image_size = tuple(image.shape[image.dim() - num_axes :])
    tracker = Tracker(num_axes)
    for x in inputs:
        tracker.set_fields(x, input_fields(x, image, tracker))
    state = ModelState(model, [model, inputs, random_generators()])
    recorder = Recorder(model, tracker, state, depth)
    try:
        with torch.no_grad(), state.preserved(training=False), recorder.recording():
            recorder.add_outputs(model(*args, **kwargs))
            layers = recorder.layers(image_size)
            parameters = list(model.parameters())
    except Exception as error:
        raise RuntimeError(f"{type(error).__name__} in {recorder.location}: {error}") from error
    num_parameters = sum(x.numel() for x in parameters)
    return Summary(
        model=type(model).__name__,
        input_shapes=tuple(tuple(x.shape) for x in inputs),
        image_size=image_size,
        layers=layers,
        parameters=num_parameters,
        parameters_trainable=sum(x.numel() for x in parameters if x.requires_grad),
        parameters_unused=num_parameters - sum(layer.parameters for layer in layers),
        parameter_bytes=sum(x.numel() * x.element_size() for x in parameters),
        macs_known=recorder.macs_known,
    )
