"""Explain a call of a module: run it without data, name the cause, and try changes."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from convlab._model_state import ModelState, random_generators
from convlab.explain.candidates import Candidate
from convlab.explain.explanation import Change, Explanation, Fix, make_apply
from convlab.explain.fixes import candidates, image_size, larger_inputs
from convlab.explain.meta import floating_dtype, is_shape, meta_copy, meta_tensor
from convlab.explain.rules import check_tensors, explain_failure
from convlab.explain.trace import Outcome, Tracer, run
from convlab.explain.windows import Finding

# To make a call run that has several faults.
_MAX_CHANGES, _MAX_RUNS = 4, 12
_MAX_SIZE = 4096
# All threads share the filters of warnings, and the random number generators.
_lock = threading.RLock()
# Causes of a size that halves to different numbers in two branches.
_SHAPE_CAUSES = ("concat_shapes", "skip_connection_shapes")
# Causes that a larger image can remove.
_SIZE_CAUSES = (
    *_SHAPE_CAUSES, "kernel_larger_than_input", "padding_mode_too_large",
    "batchnorm_single_value", "empty_output",
)  # fmt: skip


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
        tensor with the dtype and on the device of the module's parameters. Of tensors, only the
        targets of a classification are read.

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
    for targets out of range. Where the code of a module reads a value, such as
    ``if x.max() > 1``, the result has ``ok=None``. Forward hooks that are not PyTorch's own do not
    run. Inside a block of ``torch.autocast``, dtypes are not checked.

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2), nn.Conv2d(16, 8, 3))
    >>> found = explain(model, (1, 3, 32, 32))
    >>> found.cause, found.layer
    ('channels', '2')
    >>> print(found)
    [channels] 2 (Conv2d) fails: the input has another number of channels than the layer
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
    return explain_call(module, [_Shape(x) if is_shape(x) else x for x in inputs], {})


def explain_call(
    module: nn.Module, args: Sequence[Any], kwargs: dict[str, Any], all_fixes: bool = True
) -> Explanation:
    """Explain the call ``module(*args, **kwargs)``, with all fixes or the first that is found."""
    module = unwrapped(module)
    with _lock, _random_state_preserved(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _Case(module, list(args), kwargs, all_fixes).explanation()


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the module inside the wrappers of torch.compile and of parallel training."""
    wrappers = {"OptimizedModule": "_orig_mod", "DataParallel": "module"}
    wrappers["DistributedDataParallel"] = "module"
    while name := wrappers.get(type(module).__name__):
        inner = getattr(module, name, None)
        if not isinstance(inner, nn.Module):
            break
        module = inner
    return module


@contextmanager
def _random_state_preserved() -> Iterator[None]:
    with ModelState(nn.Module(), random_generators()).preserved():
        yield


class _Shape(tuple[int, ...]):
    """A shape that stands for a tensor."""


class _Case:
    """A call, and the changes under which it is tried."""

    def __init__(
        self, module: nn.Module, args: list[Any], kwargs: dict[str, Any], all_fixes: bool
    ) -> None:
        self.module, self.args, self.kwargs = module, args, kwargs
        self.all_fixes = all_fixes
        self.index_dtype: torch.dtype | None = None

    def run(self, changes: list[Change]) -> tuple[Outcome, list[Any]]:
        """Run the call after changes of copies; return the outcome and the inputs."""
        model, pairs = meta_copy(self.module)
        tracer = Tracer(check_tensors)
        for original, copy in pairs:
            tracer.devices[id(copy)] = copy, original.device
        device = next((original.device for original, _ in pairs), torch.device("cpu"))
        dtype = self.index_dtype or floating_dtype(self.module)

        def to_meta(value: Any) -> Any:
            if isinstance(value, Tensor):
                copy = meta_tensor(value)
                if value.device.type != "meta" and device.type != "meta":
                    tracer.devices[id(copy)] = copy, value.device
                tracer.values[id(copy)] = copy, value
                return copy
            return value

        inputs = []
        for value in self.args:
            if isinstance(value, _Shape):
                inputs.append(torch.empty(tuple(value), dtype=dtype, device="meta"))
                tracer.devices[id(inputs[-1])] = inputs[-1], device
            else:
                inputs.append(tree_map(to_meta, value))
        kwargs = tree_map(to_meta, self.kwargs)
        for change in changes:
            model, inputs = change(model, inputs)
        return run(model, inputs, kwargs, tracer), inputs

    def explanation(self) -> Explanation:
        """Explain the call, with fixes that were tried."""
        try:
            outcome, inputs = self.run([])
        except Exception as error:  # a model that cannot be copied
            step = f"the model cannot be copied without data: {type(error).__name__}: {error}"
            name = type(self.module).__name__
            return Explanation(None, None, "unknown", "", name, (step,), message=str(error))
        failure = outcome.failure
        if failure is None:
            return Explanation(True, outcome.output_shape)
        if self._takes_indices(outcome):
            self.index_dtype = torch.int64
            return self.explanation()
        finding = _finding(outcome)
        failed = outcome.tracer.failed
        autocast = failed is not None and failed[0] is failure.error and failed[2]
        undecided = finding.cause == "unknown" and (autocast or _needs_values(failure.error))
        fixes = () if finding.cause == "unknown" else tuple(self._fixes(finding, outcome, inputs))
        return Explanation(
            None if undecided else False, None, finding.cause, failure.path,
            type(failure.module).__name__, tuple(finding.steps), fixes,
            outcome.last_layer, outcome.last_shape, str(failure.error),
        )  # fmt: skip

    def _takes_indices(self, outcome: Outcome) -> bool:
        """Return whether an input given as a shape is one of indices."""
        call = outcome.failure.call if outcome.failure else None
        if call is None or call.kind != "embedding" or self.index_dtype is not None:
            return False
        return any(isinstance(x, _Shape) for x in self.args)

    def _fixes(self, finding: Finding, outcome: Outcome, inputs: list[Any]) -> list[Fix]:
        """Return the fixes of one change, those of several, and those that cannot be tried."""
        texts = set[str]()
        tried: list[tuple[int, Fix]] = []
        untried: list[Fix] = []
        assert outcome.failure is not None
        for candidate in self._candidates(finding, outcome, inputs):
            if candidate.text in texts:
                continue
            if candidate.change is None:
                untried.append(Fix(candidate.text))
                continue
            found = self._completed(candidate)
            if found is None:
                continue
            texts.add(candidate.text)
            changes = [step.change for step in found if step.change is not None]
            text = "; then ".join(step.text for step in found)
            tried.append((len(found), Fix(text, make_apply(changes))))
            if len(found) == 1 and not self.all_fixes:
                break
        return [fix for _, fix in sorted(tried, key=lambda item: item[0])] + untried

    def _candidates(
        self, finding: Finding, outcome: Outcome, inputs: list[Any]
    ) -> Iterator[Candidate]:
        assert outcome.failure is not None
        yield from candidates(finding.cause, outcome, inputs)
        if finding.cause in _SIZE_CAUSES:
            yield from self._sizes(finding.cause, inputs)

    def _completed(self, candidate: Candidate) -> list[Candidate] | None:
        """Return a change with those that are needed besides until the call runs, or None."""
        waiting, runs = deque([[candidate]]), 0
        while waiting and runs < _MAX_RUNS:
            steps, runs = waiting.popleft(), runs + 1
            try:
                outcome, inputs = self.run([s.change for s in steps if s.change is not None])
            except Exception:  # a change that the layer does not allow
                continue
            if outcome.failure is None:
                return steps
            finding = _finding(outcome)
            done = {step.text for step in steps}
            if len(steps) < _MAX_CHANGES and finding.cause != "unknown":
                for other in candidates(finding.cause, outcome, inputs):
                    if other.change is not None and other.text not in done:
                        waiting.append([*steps, other])
        return None

    def _sizes(self, cause: str, inputs: list[Any]) -> Iterator[Candidate]:
        """Yield the next size that is a multiple of a power of 2, or the smallest that runs."""
        size = image_size(inputs)
        if size is None or min(size) < 1:
            return
        for multiple in (2, 4, 8, 16, 32) if cause in _SHAPE_CAUSES else ():
            rounded = tuple(-(-n // multiple) * multiple for n in size)
            if rounded != size and self._runs_with(inputs, rounded):
                yield self._resized(inputs, rounded)
                return
        factor = 2
        while factor * max(size) <= _MAX_SIZE:
            if self._runs_with(inputs, tuple(factor * n for n in size)):
                break
            factor *= 2
        else:
            return
        # Between the last size that failed and the first that ran, in cells of the smaller axis.
        least, most = factor // 2 * min(size), factor * min(size)
        while most - least > 1:
            middle = (least + most) // 2
            if self._runs_with(inputs, self._scaled(size, middle)):
                most = middle
            else:
                least = middle
        yield self._resized(inputs, self._scaled(size, most))

    @staticmethod
    def _scaled(size: tuple[int, ...], smaller: int) -> tuple[int, ...]:
        return tuple(-(-n * smaller // min(size)) for n in size)

    @staticmethod
    def _resized(inputs: list[Any], size: tuple[int, ...]) -> Candidate:
        text = f"a larger image: F.interpolate(x, size={size})"
        return Candidate(text, larger_inputs(inputs, size))

    def _runs_with(self, inputs: list[Any], size: tuple[int, ...]) -> bool:
        change = larger_inputs(inputs, size)
        return change is not None and self.run([change])[0].failure is None


def _finding(outcome: Outcome) -> Finding:
    assert outcome.failure is not None
    failed = outcome.tracer.failed
    try:
        finding = explain_failure(outcome.failure, outcome.tracer)
    except Exception as error:  # arguments of unusual types
        finding = Finding("unknown", [f"{type(error).__name__}: {error}"])
    dtypes = ("dtype_mismatch", "integer_image")
    if failed is not None and failed[2] and finding.cause in dtypes:
        return Finding("unknown", [*finding.steps, "autocast may convert the tensors"])
    return finding


def _needs_values(error: Exception) -> bool:
    return "meta" in str(error).lower() or isinstance(error, NotImplementedError)
