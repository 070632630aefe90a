"""PyTorch and convlab's methods: how each is called on a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks import backward, peers, structures
from benchmarks.problems import Call, Problem, torch_results
from benchmarks.suites import FORWARD, SEPARABLE, Suite
from convlab import ops

REFERENCE = "torch"  # whose time is divided by the others'


@dataclass(frozen=True)
class Contender:
    """One way to compute a case.

    Parameters
    ----------
    name : str
        As in the results.
    library : str
        Whose threads it uses: "torch", "numpy" or "jax".
    prepare : callable
        From a `Problem` to a call without arguments that computes it and returns a tuple of
        results. What a user does once per network, such as choosing a memory format or
        compiling, is done here, outside of the time. Raises ValueError, with the reason, for
        a problem that it cannot do.
    divisible : "", "images" or "kernels"
        What of a case may be left out if it is too slow, because its time is proportional to
        it: nothing, images, or images and kernels.
    reference : str
        The contender whose time is divided by this one's.
    """

    name: str
    library: str
    prepare: Callable[[Problem], Call]
    divisible: str = ""
    reference: str = REFERENCE


def contenders(suite: Suite, task: str) -> list[Contender]:
    """List who takes part; torch comes first, since the others are compared with it."""
    if suite.rivals == "ungrouped":
        return _structures("separable" if task == SEPARABLE else "grouped")
    torches = [
        Contender(REFERENCE, "torch", _torch(torch.contiguous_format)),
        Contender("torch channels_last", "torch", _torch(torch.channels_last)),
    ]
    if task != FORWARD:
        return [*torches, Contender("convlab", "numpy", backward.prepare)]
    methods = [name for name in ops.METHODS if name != "naive"]
    if suite.rivals == "methods":
        return [*torches, *map(_method, ("auto", *methods))]
    others = [
        Contender(name, peer.library, peer.prepare, peer.divisible)
        for name, peer in peers.PEERS.items()
    ]
    if suite.rivals == "peers":
        return [*torches, _method("auto"), *others]
    loops = Contender("convlab naive", "numpy", _convlab("naive"), "kernels")
    return [*torches, loops, *others, *map(_method, (*methods, "auto"))]


def _structures(name: str) -> list[Contender]:
    """Pair the ordinary layer with the one that does less, in each memory format.

    Somebody who keeps channels_last tensors gains against an ordinary layer in that format.
    """
    listed = []
    for suffix, memory_format in (
        ("", torch.contiguous_format),
        (" channels_last", torch.channels_last),
    ):
        ordinary = f"{REFERENCE}{suffix}"
        less = structures.separable if name == "separable" else _torch
        listed += [
            Contender(ordinary, "torch", _ungrouped(memory_format), reference=ordinary),
            Contender(f"torch {name}{suffix}", "torch", less(memory_format), reference=ordinary),
        ]
    return listed


def _ungrouped(memory_format: torch.memory_format) -> Callable[[Problem], Call]:
    call = _torch(memory_format)
    return lambda problem: call(structures.ungrouped(problem))


def _method(name: str) -> Contender:
    return Contender(f"convlab {name}", "numpy", _convlab(name), "images")


def _convlab(method: str) -> Callable[[Problem], Call]:
    """Call `convlab.ops.conv2d` with this method, all of its argument checks included."""

    def prepare(problem: Problem) -> Call:
        layer, x, w = problem.layer, problem.x, problem.w
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return lambda: (ops.conv2d(x, w, None, *settings, method=method),)

    return prepare


def _torch(memory_format: torch.memory_format) -> Callable[[Problem], Call]:
    """Call PyTorch on tensors of its own, in this memory format from the start."""

    def prepare(problem: Problem) -> Call:
        def own(array: Any) -> torch.Tensor:
            return torch.from_numpy(array).clone().contiguous(memory_format=memory_format)

        tensors = own(problem.x), own(problem.w), own(problem.g)
        return lambda: torch_results(problem.layer, problem.task, *tensors)

    return prepare
