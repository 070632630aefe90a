"""The result of an explanation: a cause, its arithmetic, and the changes that make the call run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from convlab._model_state import copy_model
from convlab.explain.meta import is_shape, unwrapped

# What a cause means, in a few words.
CAUSES: dict[str, str] = {
    "channels": "the input has a different number of channels than the layer",
    "channels_last_image": "the channels of the input are its last axis",
    "missing_axis": "the input lacks an axis, such as that of the batch or of the channels",
    "extra_axis": "the input has more axes than the layer takes",
    "kernel_larger_than_input": "the window spans more cells than the padded input has",
    "groups_do_not_divide": "the channels cannot be split into this number of groups",
    "same_with_stride": "padding='same' is defined for a stride of 1 only",
    "linear_after_flatten": "the flattened map has a different length than the next layer takes",
    "missing_flatten": "a linear layer receives a map that was not flattened",
    "features": "the last axis of the input has a different length than the layer takes",
    "integer_image": "the image holds integers, where floating point numbers are needed",
    "dtype_mismatch": "tensors of different dtypes, or a dtype that the operation does not take",
    "device_mismatch": "tensors on different devices",
    "batchnorm_channels": "the input has a different number of channels than the normalization",
    "batchnorm_single_value": "a normalization over a single value, which has no variance",
    "pool_padding": "the padding of a pooling exceeds half of its window",
    "padding_mode_too_large": "there are fewer cells than the padding mode has to copy",
    "transposed_size": "no transposed convolution with these arguments has this output size",
    "skip_connection_shapes": "the shapes of two terms do not broadcast",
    "concat_shapes": "tensors to concatenate differ in another axis",
    "empty_output": "an axis of the input or of the output has no cells",
    "not_an_integer": "an argument that must be an int is not one",
    "target_shape": "the shape of the target does not fit that of the prediction",
    "target_range": "the target holds class numbers that the prediction does not have",
    "state_dict_mismatch": "the keys or shapes of a state_dict are not those of the model",
    "unknown": "not recognized",
}

# Return a changed model and changed inputs; both arguments may be changed in place.
Change = Callable[[nn.Module, list[Any]], tuple[nn.Module, list[Any]]]


@dataclass(frozen=True, repr=False)
class Fix:
    """A change after which the call runs.

    Attributes
    ----------
    text : str
        The change in one line.
    apply : callable or None
        ``apply(model, inputs)`` returns a changed copy of the model and a tuple of new inputs; the
        model and the tensors that it gets are not changed. The copy has no wrapper for parallel
        training or compilation around it. Before a fix is offered, it is applied
        to a copy without data, which then runs. None if only the author of the code can make the
        change.
    """

    text: str
    apply: Callable[[nn.Module, Any], tuple[nn.Module, tuple[Any, ...]]] | None = None

    def __repr__(self) -> str:
        return f"Fix({self.text!r}{'' if self.apply else ', apply=None'})"


def make_apply(changes: Sequence[Change]) -> Callable[[nn.Module, Any], tuple[nn.Module, Any]]:
    """Return a function that applies changes to copies, one after the other."""

    def apply(model: nn.Module, inputs: Any) -> tuple[nn.Module, tuple[Any, ...]]:
        several = inputs if isinstance(inputs, tuple | list) and not is_shape(inputs) else (inputs,)
        copies = [x.clone() if isinstance(x, Tensor) else x for x in several]
        new_model = copy_model(unwrapped(model))
        for change in changes:
            new_model, copies = change(new_model, copies)
        return new_model, tuple(copies)

    return apply


@dataclass(frozen=True, repr=False)
class Explanation:
    """The outcome of a call: the output shape, or the reason why it fails.

    It prints as a text of several lines.

    Attributes
    ----------
    ok : bool or None
        Whether the call runs; None if that depends on the values of the tensors, or on the backend,
        of which some return a transposed convolution without cells.
    output_shape : tuple of ints or None
        Shape of the output, of the first tensor if there are several; None if the call fails.
    cause : str or None
        A key of `CAUSES`; None if the call runs.
    layer : str or None
        Dotted path of the innermost module that fails, ``""`` for the module itself; None if the
        call runs.
    layer_class : str or None
        Class of that module.
    steps : tuple of str
        The arithmetic that fails, one step a line, with the names of the arguments.
    fixes : tuple of Fix
        Changes after which the call runs, the most likely first, and then those that only the
        author of the code can make.
    last_layer, last_shape : str and tuple of ints, or None
        Path of the last layer that worked, and the shape of its output.
    message : str
        The message of the error, as PyTorch or `convlab` words it; empty if the call runs.
    """

    ok: bool | None
    output_shape: tuple[int, ...] | None = None
    cause: str | None = None
    layer: str | None = None
    layer_class: str | None = None
    steps: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    last_layer: str | None = None
    last_shape: tuple[int, ...] | None = None
    message: str = ""

    def __str__(self) -> str:
        if self.ok:
            return f"The call runs: output shape {self.output_shape}"
        where = f"{self.layer} ({self.layer_class})" if self.layer else f"{self.layer_class}"
        undecided = "could not be checked" if self.cause == "unknown" else "may fail"
        verb = "fails" if self.ok is False else undecided
        lines = [f"[{self.cause}] {where} {verb}: {CAUSES[self.cause or 'unknown']}"]
        lines += [f"  {step}" for step in self.steps]
        if self.last_layer is not None:
            lines.append(f"  last layer that worked: {self.last_layer}, output {self.last_shape}")
        for number, fix in enumerate(self.fixes, start=1):
            tried = "" if fix.apply else " (in your code: not tried)"
            lines.append(f"  fix {number}: {fix.text}{tried}")
        return "\n".join(lines)

    __repr__ = __str__
