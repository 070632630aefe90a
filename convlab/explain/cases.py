"""Try a call without data, find the cause where it fails, and try changes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from convlab.explain.candidates import Candidate
from convlab.explain.explanation import Change, Explanation, Fix, make_apply
from convlab.explain.fixes import candidates, image_size, larger_inputs
from convlab.explain.meta import floating_dtype, meta_copy, meta_tensor
from convlab.explain.rules import check_tensors, explain_failure
from convlab.explain.trace import Outcome, Tracer, run
from convlab.explain.windows import Finding, output_may_be_empty

# To make a call run that has several faults.
_MAX_CHANGES, _MAX_RUNS = 4, 12
_MAX_SIZE, _SIZES_TRIED = 4096, 16
# Causes of a size that halves to different numbers in two branches.
_SHAPE_CAUSES = ("concat_shapes", "skip_connection_shapes")
# Causes that a larger image can remove.
_SIZE_CAUSES = (
    *_SHAPE_CAUSES, "kernel_larger_than_input", "padding_mode_too_large",
    "batchnorm_single_value", "empty_output",
)  # fmt: skip


class Shape(tuple[int, ...]):
    """A shape that stands for a tensor."""


class Case:
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
            if isinstance(value, Shape):
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
        if finding.cause == "empty_output" and failure.call is not None:
            is_transposed = failure.call.kind == "conv_transpose"
            undecided = is_transposed and output_may_be_empty(failure.call)
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
        return any(isinstance(x, Shape) for x in self.args)

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
        if finding.cause == "linear_after_flatten":
            yield from self._size_before_flatten(outcome, inputs)

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

    def _size_before_flatten(self, outcome: Outcome, inputs: list[Any]) -> Iterator[Candidate]:
        """Yield the size of the image for which the flattened map has the right length."""
        size, numbers = image_size(inputs), _flattened(outcome)
        if size is None or min(size) < 1 or numbers is None:
            return
        guess = round(min(size) * math.sqrt(numbers[1] / numbers[0]))
        near = range(max(1, guess - _SIZES_TRIED // 2), guess + _SIZES_TRIED // 2 + 1)
        # Of the sizes that run, usually several, people mean a round one.
        for smaller in sorted(near, key=lambda n: (-math.gcd(n, 32), n)):
            if self._runs_with(inputs, self._scaled(size, smaller)):
                yield self._resized(inputs, self._scaled(size, smaller))
                return

    @staticmethod
    def _scaled(size: tuple[int, ...], smaller: int) -> tuple[int, ...]:
        return tuple(-(-n * smaller // min(size)) for n in size)

    @staticmethod
    def _resized(inputs: list[Any], size: tuple[int, ...]) -> Candidate:
        text = f"an image of another size: F.interpolate(x, size={size})"
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


def _flattened(outcome: Outcome) -> tuple[int, int] | None:
    """Return the length of a flattened map and in_features; None without an extended map."""
    call = outcome.failure.call if outcome.failure else None
    if call is None or call.kind != "linear" or call.input is None:
        return None
    _, source = outcome.tracer.maps.get(id(call.input), (None, None))
    if source is None or len(source) < 3 or source[-1] == 1:
        return None
    return call.input.shape[-1], call["weight"].shape[1]


def _needs_values(error: Exception) -> bool:
    return "meta" in str(error).lower() or isinstance(error, NotImplementedError)
