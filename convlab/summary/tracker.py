"""Follow the image through every operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from convlab.summary.rules import Axis, Call, Rule, find_rule
from convlab.summary.traces import BlankError, Sees, Trace, UnknownError

# Along one direction: a trace, or several that add up. Numbers that compare two places, such as the
# products of queries and keys, see what both see, and have a dimension for each.
Seen = Trace | tuple[Trace, ...] | Sees
# What one tensor sees: one entry per direction of the image.
Sight = tuple[Seen, ...]
# More ways than this to combine what the arguments see are not followed.
_MOST = 16

# These look at the shape of a tensor, or at nothing; what they return depends on no number in it.
_WITHOUT_VALUES = {
    "empty_like", "full_like", "new_empty", "new_empty_strided", "new_full", "new_ones",
    "new_zeros", "ones_like", "rand_like", "randint_like", "randn_like", "zeros_like",
    "zero", "fill", "sym_size", "uniform", "normal",
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """What is known of a tensor.

    Attributes
    ----------
    depends : bool
        Whether its numbers depend on the input of the model.
    sight : tuple
        What it sees of the image, per direction.
    parameters : frozenset of int
        Numbers of the parameters it was computed from, as long as it met no input.
    """

    depends: bool
    sight: Sight
    parameters: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Step:
    """An operation that was followed."""

    call: Call
    dependents: int  # how many different arguments depend on the input
    parameters: frozenset[int]  # which parameters met the input here


class Tracker:
    """The states of all tensors that are alive.

    Parameters
    ----------
    directions : int
        How many directions the image has: 2 for pictures, 0 for a model without an image.
    """

    def __init__(self, directions: int) -> None:
        self.directions = directions
        # From a tensor that is alive to its State; typed by hand, PyTorch leaves it untyped.
        self._states: Any = WeakTensorKeyDictionary()
        # A number was taken out of a tensor (`item()`): from then on it may be anywhere.
        self._leaked = False

    def start(self, tensor: Tensor, sight: Sight) -> None:
        """Declare an input of the model."""
        self._states[tensor] = State(True, sight)

    def declare(self, parameters: Iterable[Tensor]) -> None:
        """Declare the parameters, in order: they get the numbers 0, 1, 2, ..."""
        for number, parameter in enumerate(parameters):
            self._states[parameter] = State(False, self._nothing, frozenset([number]))

    @property
    def _nothing(self) -> Sight:
        return (Sees.NOTHING,) * self.directions

    @property
    def unknown(self) -> Sight:
        """The sight of a tensor that depends on the image in an unknown way."""
        return (Sees.UNKNOWN,) * self.directions

    def of(self, tensor: Tensor) -> State:
        """Return the state of a tensor; one that was never seen is a constant."""
        state = self._states.get(tensor)
        if state is None:
            # Remembered, so that what is written into it later is noticed.
            state = self._states[tensor] = State(False, self._nothing)
        assert isinstance(state, State)
        return state

    def overrule(self, tensor: Tensor, sight: Sight) -> None:
        """Replace what a tensor sees by what is known from elsewhere."""
        self._states[tensor] = State(True, sight)

    def follow(
        self, func: torch._ops.OpOverload, args: Any, kwargs: dict[str, Any], result: Any
    ) -> Step:
        """Give states to what an operation returned, or wrote into its arguments."""
        call, written = _bind(func, args, kwargs, result)
        inputs = {id(x): x for x in call.tensors()}.values()
        if call.name in _WITHOUT_VALUES:
            inputs = {}.values()
        before = [self.of(x) for x in inputs]
        parameters = frozenset[int]().union(*(state.parameters for state in before))
        depends = sum(state.depends for state in before)
        if depends and call.name == "_local_scalar_dense":
            self._leaked = True
        if depends:
            states = [State(True, sight) for sight in self._sights(call)]
        else:
            states = [State(False, self._nothing, parameters)] * len(call.outputs)
        for tensor, state in zip(call.outputs, states, strict=True):
            self._set(tensor, state)
        for tensor in written:
            if not any(tensor is output for output in call.outputs):
                known = State(True, self.unknown) if depends else State(False, self._nothing)
                self._set(tensor, known)
        return Step(call, depends, parameters if depends else frozenset())

    def _set(self, tensor: Tensor, state: State) -> None:
        old = self._states.get(tensor)
        self._states[tensor] = state
        if old is not None and old != state and (old.depends or state.depends):
            # Written in place. Views of the same memory changed with it, who knows where.
            memory = storage(tensor)
            others = [x for x in self._states if x is not tensor and storage(x) == memory]
            for other in others:
                self._states[other] = State(True, self.unknown)

    def _sights(self, call: Call) -> list[Sight]:
        """Return what each output sees, by the rule for the operation."""
        along = [self._along(call, direction) for direction in range(self.directions)]
        return [tuple(seen[i] for seen in along) for i in range(len(call.outputs))]

    def _along(self, call: Call, direction: int) -> list[Seen]:
        """Return what each output sees along one direction."""
        many = len(call.outputs)
        looks = {id(x): self.of(x).sight[direction] for x in call.tensors()}
        if set(looks.values()) == {Sees.NOTHING}:
            return [Sees.NOTHING] * many
        rule = find_rule(call)
        if self._leaked or rule is None:
            return [Sees.UNKNOWN] * many
        try:
            seen = _apply(rule, call, looks)
        except BlankError:  # of the parts of a split, others may see something
            seen = [Sees.NOTHING] * many if many == 1 or "pool" in call.name else []
        except UnknownError:
            seen = []
        return (seen + [Sees.UNKNOWN] * many)[:many]


def _apply(rule: Rule, call: Call, looks: Mapping[int, Seen]) -> list[Seen]:
    """Apply a rule to everything at once, or, where it cannot, to one trace after the other."""
    if not any(isinstance(look, tuple) for look in looks.values()):
        try:
            return [*_ask(rule, call, looks)]
        except BlankError:
            raise
        except UnknownError:
            pass
    return _ask_one_by_one(rule, call, looks)


def _ask(rule: Rule, call: Call, looks: Mapping[int, Seen]) -> list[Trace]:
    """Apply a rule to what the arguments see, one trace each at most."""

    def look(tensor: Tensor) -> Trace | Sees:
        seen = looks.get(id(tensor), Sees.NOTHING)
        assert not isinstance(seen, tuple)
        return seen

    answer = rule(call, Axis(look))
    return answer if isinstance(answer, list) else [answer]


def _ask_one_by_one(rule: Rule, call: Call, looks: Mapping[int, Seen]) -> list[Seen]:
    """Apply a rule to one trace after the other, as if nothing else depended on the image.

    What an output sees is the sum of what it sees through each argument, so this is right for
    every rule; and it also works where the traces run along different dimensions.
    """
    if Sees.UNKNOWN in looks.values():
        raise UnknownError("an input sees nobody knows what")
    ways = [
        (key, trace)
        for key, look in looks.items()
        for trace in (look if isinstance(look, tuple) else (look,))
        if isinstance(trace, Trace)
    ]
    if len(ways) > _MOST:
        raise UnknownError("too many ways to combine what the arguments see")
    answers = [_ask(rule, call, {key: trace}) for key, trace in ways]
    return [
        _together(traces, tuple(output.shape))
        for traces, output in zip(zip(*answers, strict=True), call.outputs, strict=False)
    ]


def _together(traces: Iterable[Trace], shape: tuple[int, ...]) -> Seen:
    """Add up traces: those of one dimension become one, an equal view of all is part of each."""
    by_dim: dict[int | None, Trace] = {}
    for trace in traces:
        old = by_dim.get(trace.dim)
        by_dim[trace.dim] = trace if old is None else old.union(trace, shape)
    common = by_dim.pop(None, None)
    if common is not None:
        if not by_dim:
            return common
        by_dim = {dim: trace.union(common, shape) for dim, trace in by_dim.items()}
    known = tuple(dict.fromkeys(by_dim.values()))
    return known[0] if len(known) == 1 else known


def storage(tensor: Tensor) -> int | None:
    """Return a number that two tensors share if they share their memory."""
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):  # sparse and opaque tensors
        return None


def tensors_in(value: Any) -> list[Tensor]:
    """List the tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return [tensor for entry in value for tensor in tensors_in(entry)]
    return []


def _bind(
    func: torch._ops.OpOverload, args: Any, kwargs: dict[str, Any], result: Any
) -> tuple[Call, list[Tensor]]:
    """Name the arguments, and find those that are written into."""
    arguments, written = {}, []
    for position, argument in enumerate(func._schema.arguments):
        if position < len(args):
            value = args[position]
        else:
            value = kwargs.get(argument.name, argument.default_value)
        arguments[argument.name] = value
        if argument.alias_info is not None and argument.alias_info.is_write:
            written += tensors_in(value)
    namespace, name = func._schema.name.split("::")
    if func._schema.is_mutable and not name.startswith("_"):
        name = name.removesuffix("_")
    if namespace != "aten":
        name = func._schema.name
    pointwise = torch.Tag.pointwise in func.tags
    return Call(name, pointwise, arguments, tensors_in(result)), written
