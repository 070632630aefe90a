"""Try a call without data, find the cause where it fails, and try changes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from time import thread_time
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from convlab.explain.candidates import Candidate, change_inputs
from convlab.explain.explanation import Change, Explanation, Fix, make_apply
from convlab.explain.findings import Finding
from convlab.explain.fixes import candidates, image_size, resized
from convlab.explain.meta import (
    first_tensor,
    floating_dtype,
    meta_copy,
    meta_tensor,
    skipped_hooks,
)
from convlab.explain.rules import check_call, explain_failure, facts
from convlab.explain.trace import Failure, Outcome, Tracer, WouldFail, run
from convlab.explain.trials import runs_on_cpu
from convlab.explain.windows import output_may_be_empty

# To make a call run that has several faults.
_MAX_CHANGES, _MAX_RUNS = 4, 40
_ADD_BATCH = "add the axis of the batch: x.unsqueeze(0)"
_MAX_SIZE, _SIZES_TRIED = 4096, 16
SKIPPED_HOOK = "a forward hook of"
# CPU time for the search, in seconds: for the first fix, and for all. A run that began goes on.
_SECONDS_FIRST, _SECONDS_ALL = 0.3, 5.0
# Causes of a size that halves to different numbers in two branches.
_SHAPE_CAUSES = ("concat_shapes", "skip_connection_shapes")
# Causes that a larger image can remove.
_SIZE_CAUSES = (
    *_SHAPE_CAUSES, "kernel_larger_than_input", "padding_mode_too_large",
    "batchnorm_single_value", "empty_output",
)  # fmt: skip


class Shape(tuple[int, ...]):
    """A shape that stands for a tensor."""


class Run(NamedTuple):
    """A run after changes, and the inputs that they made."""

    steps: list[Candidate]
    outcome: Outcome
    inputs: list[Any]


class Case:
    """A call, and the changes under which it is tried."""

    def __init__(
        self, module: nn.Module, args: list[Any], kwargs: dict[str, Any], all_fixes: bool
    ) -> None:
        self.module, self.args, self.kwargs = module, args, kwargs
        self.all_fixes = all_fixes
        self.index_dtype: torch.dtype | None = None
        self.batched: Candidate | None = None
        self.end = math.inf

    def run(self, changes: list[Change]) -> tuple[Outcome, list[Any]]:
        """Run the call after changes of copies; return the outcome and the inputs."""
        model, pairs = meta_copy(self.module)
        tracer = Tracer(check_call, model_devices={original.device for original, _ in pairs})
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
        hooked = _hooked(self.module, outcome)
        if failure is None:
            if hooked is None:
                return Explanation(True, outcome.output_shape)
            step = f"{_hook_step(hooked)}; without it, the output has shape {outcome.output_shape}"
            name = type(self.module.get_submodule(hooked)).__name__
            return Explanation(None, None, "unknown", hooked, name, (step,))
        if self._takes_indices(outcome):
            self.index_dtype = torch.int64
            return self.explanation()
        finding = self._without_batch(outcome, inputs) or _finding(outcome)
        failed = outcome.tracer.failed
        autocast = failed is not None and failed[0] is failure.error and failed[2]
        undecided = finding.cause == "unknown" and (autocast or _is_undecided(failure))
        if finding.cause == "empty_output" and failure.call is not None:
            undecided = output_may_be_empty(failure.call)
        if hooked is not None:
            undecided = True
            finding.steps.append(_hook_step(hooked))
        fixes = () if finding.cause == "unknown" else tuple(self._fixes(finding, outcome, inputs))
        return Explanation(
            None if undecided else False, None, finding.cause, failure.path,
            type(failure.module).__name__, tuple(finding.steps), fixes,
            outcome.last_layer, outcome.last_shape, str(failure.error),
        )  # fmt: skip

    def _without_batch(self, outcome: Outcome, inputs: list[Any]) -> Finding | None:
        """Return the finding if the call runs once the inputs have an axis for the batch."""
        x = first_tensor(inputs)
        rank = outcome.tracer.rank or _first_rank(self.module)
        if x is None or not rank or x.dim() != rank + 1 or not x.is_floating_point():
            return None
        same = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.dim() == rank + 1]
        candidate = Candidate(_ADD_BATCH, change_inputs(lambda x: x.unsqueeze(0), same))
        found = self._try([candidate])
        if found is None or found.outcome.failure is not None:
            return None
        self.batched = candidate
        step = f"the model gets {tuple(x.shape)}, and runs with {(1, *x.shape)}: (N, C, ...)"
        return Finding("missing_axis", [*_finding(outcome).steps, step])

    def _takes_indices(self, outcome: Outcome) -> bool:
        """Return whether an input given as a shape is one of indices."""
        call = outcome.failure.call if outcome.failure else None
        if call is None or call.kind != "embedding" or self.index_dtype is not None:
            return False
        return any(isinstance(x, Shape) for x in self.args)

    def _fixes(self, finding: Finding, outcome: Outcome, inputs: list[Any]) -> list[Fix]:
        """Return the fixes of one change, or else of several; then those that cannot be tried."""
        self.end = thread_time() + (_SECONDS_ALL if self.all_fixes else _SECONDS_FIRST)
        proposed = self._candidates(finding, outcome, inputs)
        fixes, failed, untried = list[Fix](), dict[str, Run](), list[Fix]()
        for candidate in proposed:
            if candidate.change is None:
                untried.append(Fix(candidate.text))
                continue
            if candidate.text in failed or any(fix.text == candidate.text for fix in fixes):
                continue
            found = self._try([candidate])
            if found is not None and found.outcome.failure is None:
                fixes.append(_fix(found.steps))
                if not self.all_fixes:
                    break
            elif found is not None:
                failed[candidate.text] = found
        runs = [] if fixes else list(failed.values())
        return fixes + [_fix(steps) for steps in self._completed(runs)] + untried

    def _candidates(
        self, finding: Finding, outcome: Outcome, inputs: list[Any]
    ) -> Iterator[Candidate]:
        if self.batched is not None:
            yield self.batched
            return
        proposed = list(_proposed(finding, outcome, inputs))
        yield from (candidate for candidate in proposed if not candidate.last)
        size = image_size(outcome, inputs)
        with suppress(Exception):  # as in `_proposed`
            if size is not None and finding.cause in _SIZE_CAUSES:
                yield from self._sizes(finding.cause, size)
            if size is not None and finding.cause == "linear_after_flatten":
                yield from self._size_before_flatten(outcome, size)
        yield from (candidate for candidate in proposed if candidate.last)

    def _try(self, steps: list[Candidate]) -> Run | None:
        """Return the run after changes; None if a layer does not allow one, or the time is over."""
        if thread_time() > self.end:
            return None
        try:
            return Run(steps, *self.run([s.change for s in steps if s.change is not None]))
        except Exception:  # of any type
            return None

    def _completed(self, failed: list[Run]) -> Iterator[list[Candidate]]:
        """Yield the fewest changes after which the call runs, each a remedy for the next failure.

        At most one sequence for each of the first changes, and for each set of changes.
        """
        waiting, runs = deque((run, run.steps[0].text) for run in failed), 0
        done, least = set[Any](), _MAX_CHANGES
        while waiting and runs < _MAX_RUNS:
            (steps, outcome, inputs), first = waiting.popleft()
            finding, texts = _finding(outcome), {step.text for step in steps}
            if first in done or finding.cause == "unknown" or len(steps) >= least:
                continue
            for other in _proposed(finding, outcome, inputs):
                if other.change is None or other.text in texts:
                    continue
                found, runs = self._try([*steps, other]), runs + 1
                changed = frozenset({*texts, other.text})
                if found is not None and found.outcome.failure is None and changed not in done:
                    done |= {first, changed}
                    least = len(found.steps)
                    yield found.steps
                    break
                if found is not None and found.outcome.failure is not None:
                    waiting.append((found, first))

    def _sizes(self, cause: str, size: tuple[int, ...]) -> Iterator[Candidate]:
        """Yield the next size that is a multiple of a power of 2, or the smallest that runs."""
        if cause in _SHAPE_CAUSES:
            for multiple in (2, 4, 8, 16, 32):
                rounded = tuple(-(-n // multiple) * multiple for n in size)
                if rounded != size and self._runs_with(size, rounded):
                    yield self._resized(size, rounded)
                    return
            return
        factor = 2
        while factor * max(size) <= _MAX_SIZE:
            if self._runs_with(size, tuple(factor * n for n in size)):
                break
            factor *= 2
        else:
            return
        # Between the last size that failed and the first that ran, in cells of the smaller axis.
        least, most = factor // 2 * min(size), factor * min(size)
        while most - least > 1:
            middle = (least + most) // 2
            if self._runs_with(size, self._scaled(size, middle)):
                most = middle
            else:
                least = middle
        yield self._resized(size, self._scaled(size, most))

    def _size_before_flatten(self, outcome: Outcome, size: tuple[int, ...]) -> Iterator[Candidate]:
        """Yield the size of the image for which the flattened map has the right length."""
        numbers = _flattened(outcome)
        if numbers is None:
            return
        guess = round(min(size) * (numbers[1] / numbers[0]) ** (1 / len(size)))
        near = range(max(1, guess - _SIZES_TRIED // 2), guess + _SIZES_TRIED // 2 + 1)
        # Of the sizes that run, usually several, people mean a round one.
        for smaller in sorted(near, key=lambda n: (-math.gcd(n, 32), n)):
            new = self._scaled(size, smaller)
            if self._runs_with(size, new):
                yield self._resized(size, new)
                return

    @staticmethod
    def _scaled(size: tuple[int, ...], smaller: int) -> tuple[int, ...]:
        return tuple(-(-n * smaller // min(size)) for n in size)

    @staticmethod
    def _resized(size: tuple[int, ...], new: tuple[int, ...]) -> Candidate:
        text = f"an image of another size: F.interpolate(x, size={new})"
        return Candidate(text, resized(size, new))

    def _runs_with(self, size: tuple[int, ...], new: tuple[int, ...]) -> bool:
        return thread_time() < self.end and self.run([resized(size, new)])[0].failure is None


def _hooked(module: nn.Module, outcome: Outcome) -> str | None:
    """Return the path of a module with a hook that did not run, and may have changed tensors."""
    failing = None if outcome.failure is None else f"{outcome.failure.path}."
    for path, before in skipped_hooks(module).items():
        entered = failing is not None and failing.startswith(f"{path}." if path else "")
        if path in outcome.finished or (before and entered):
            return path
    return None


def _hook_step(path: str) -> str:
    return f"{SKIPPED_HOOK} {path or 'the module'}, which may change tensors, did not run"


def _first_rank(module: nn.Module) -> int:
    """Return the number of axes of the window of the first convolution of a model, or 0."""
    kernels = (m.kernel_size for m in module.modules() if isinstance(m, nn.modules.conv._ConvNd))
    return len(next(kernels, ()))


def _proposed(finding: Finding, outcome: Outcome, inputs: list[Any]) -> Iterator[Candidate]:
    with suppress(Exception):  # arguments of unusual types
        yield from candidates(finding.cause, outcome, inputs)


def _fix(steps: list[Candidate]) -> Fix:
    changes = [step.change for step in steps if step.change is not None]
    return Fix("; then ".join(step.text for step in steps), make_apply(changes))


def _finding(outcome: Outcome) -> Finding:
    assert outcome.failure is not None
    failed = outcome.tracer.failed
    try:
        finding = explain_failure(outcome.failure, outcome.tracer)
    except Exception:  # arguments of unusual types
        finding = Finding("unknown", facts(outcome.failure))
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


def _is_undecided(failure: Failure) -> bool:
    """Return whether code reads values, or only the meta device refuses a call."""
    error, call = failure.error, failure.call
    if "meta" in str(error).lower():
        return True
    return call is not None and not isinstance(error, WouldFail) and runs_on_cpu(call)
