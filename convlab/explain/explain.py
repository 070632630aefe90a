"""Explain a call of a module, and leave everything as it was."""

from __future__ import annotations

import io
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

from torch import nn

from convlab._model_state import ModelState, random_generators
from convlab.explain.cases import Case, Shape
from convlab.explain.explanation import Explanation
from convlab.explain.meta import is_shape, unwrapped

# All threads share the filters of warnings, the output and the random number generators.
_lock = threading.RLock()


def explain(module: nn.Module, *inputs: Any) -> Explanation:
    """Explain why a call of a module fails: which layer, which numbers, and what makes it run.

    The call runs on a copy of the module on the meta device, that is without data: nothing is
    computed, and neither the module nor the inputs nor the state of the random number generators
    change. The cause is recognized from the layer, the shapes and the dtypes.

    Parameters
    ----------
    module : Module
        The model, the layer or the loss.
    *inputs : shape, tensor or other value
        One for each argument of the call. A shape, such as ``(1, 3, 224, 224)``, stands for a
        tensor with the dtype and on the device of the module's parameters; a tuple of ints that
        is none cannot be given. Of tensors, only indices and the targets of a classification are
        read.

    Returns
    -------
    Explanation
        The output shape; or the cause, the path of the layer, the arithmetic and the fixes.

    Raises
    ------
    TypeError
        If `module` is not a Module.
    ValueError
        If a shape has a negative size.

    Notes
    -----
    The code of ``forward`` runs, on the copy. Errors that only values cause are not found, except
    for targets and indices out of range that are inputs themselves. The meta device computes with
    dtypes that the CPU refuses, and with axes of length 0; a call with such tensors is therefore
    tried with small ones on the CPU. Where the code of a module reads a value, such as
    ``if x.max() > 1``, the result has ``ok=None``. Tensors and models on the meta device stand for
    those on any device. Forward hooks that are not PyTorch's own do not run; after a module with
    one, the result has ``ok=None`` too, since a hook may change tensors. Inside a block of
    ``torch.autocast``, dtypes are not checked. What the module prints is dropped, and so are its
    warnings, since it runs once for each change that is tried. The search for fixes ends after
    about 5 s of CPU time, with those that were found.

    Examples
    --------
    >>> import torch
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2), nn.Conv2d(16, 8, 3))
    >>> found = explain(model, (1, 3, 32, 32))
    >>> found.cause, found.layer
    ('channels', '2')
    >>> print(found)
    [channels] 2 (Conv2d) fails: the input has a different number of channels than the layer
      input: shape (1, 8, 15, 15) has 8 channels
      in_channels = 16
      8 != 16
      last layer that worked: 1, output (1, 8, 15, 15)
      fix 1: 2: in_channels=8
    >>> mended, images = found.fixes[0].apply(model, torch.ones(1, 3, 32, 32))
    >>> mended(*images).shape
    torch.Size([1, 8, 13, 13])
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    for value in inputs:
        if is_shape(value) and min(value) < 0:
            raise ValueError(f"the sizes of a shape must be at least 0, got {tuple(value)}")
    return explain_call(module, [Shape(x) if is_shape(x) else x for x in inputs], {})


def explain_call(
    module: nn.Module, args: Sequence[Any], kwargs: dict[str, Any], all_fixes: bool = True
) -> Explanation:
    """Explain the call ``module(*args, **kwargs)``, with all fixes or the first that is found.

    The search for all ends after about 5 s of CPU time, that for the first after about 0.3 s.
    """
    module = unwrapped(module)
    with _lock, _random_state_preserved(), _silenced():
        return Case(module, list(args), kwargs, all_fixes).explanation()


@contextmanager
def _random_state_preserved() -> Iterator[None]:
    with ModelState(nn.Module(), random_generators()).preserved():
        yield


class _OtherThreads(io.TextIOBase):
    """A stream of text that drops what the thread that made it writes."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.thread = stream, threading.get_ident()

    def write(self, text: str) -> int:
        """Pass on what another thread writes."""
        if threading.get_ident() != self.thread:
            self.stream.write(text)
        return len(text)


@contextmanager
def _silenced() -> Iterator[None]:
    """Drop what this thread prints, and warnings."""
    streams = _OtherThreads(sys.stdout), _OtherThreads(sys.stderr)
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
