"""The contenders of a suite: calls of PyTorch and of convlab on a problem.

In the suite "groups", a layer with groups, or a depthwise and a 1x1 convolution, is compared with
the ordinary layer that gives the same output. Zeros in a weight cost an ordinary convolution as
much time as any other number, so its result can be checked too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch._inductor import config as inductor_config
from torch.nn.functional import conv2d

from benchmarks.peers import PEERS
from benchmarks.problems import Array, Call, Problem, torch_results
from benchmarks.suites import FORWARD, GRAD_INPUT, GRADIENTS, SEPARABLE, Suite
from convlab import ops
from convlab.ops.backward import grad_input, grad_weight
from convlab.ops.geometry import Geometry

REFERENCE = "torch"  # whose time is divided by the others'


@dataclass(frozen=True)
class Contender:
    """One way to compute a case.

    Parameters
    ----------
    name : str
        Name in the results.
    library : str
        The library whose threads it uses: "torch", "numpy" or "jax".
    prepare : callable
        Maps a `Problem` to a call without arguments that computes it and returns a tuple of
        results. Work that a user does once per network, such as choosing a memory format or
        compiling, is done here and not timed. Raises ValueError, with the reason, for
        unsupported problems.
    divisible : "", "images" or "kernels"
        What its time is proportional to, so that a slow case can be timed on a part: nothing,
        the number of images, or the numbers of images and kernels.
    reference : str
        The contender whose time is divided by this one's.
    """

    name: str
    library: str
    prepare: Callable[[Problem], Call]
    divisible: str = ""
    reference: str = REFERENCE


def contenders(suite: Suite, task: str) -> list[Contender]:
    """List the contenders of a suite, the reference first."""
    if suite.rivals == "ungrouped":
        return _grouped("separable" if task == SEPARABLE else "grouped")
    torches = [
        Contender(REFERENCE, "torch", _torch(torch.contiguous_format)),
        Contender("torch channels_last", "torch", _torch(torch.channels_last)),
    ]
    if task != FORWARD:
        return [*torches, Contender("convlab", "numpy", gradients)]
    if suite.rivals == "prepacked":
        return [
            *torches,
            Contender("torch packed", "torch", _packed),
            Contender("torch compiled", "torch", _compiled),
            _method("auto"),
            Contender("convlab prepacked", "numpy", _prepacked),
        ]
    methods = [name for name in ops.METHODS if name != "naive"]
    if suite.rivals == "methods":
        return [*torches, *map(_method, ("auto", *methods))]
    others = [
        Contender(name, peer.library, peer.prepare, peer.divisible) for name, peer in PEERS.items()
    ]
    if suite.rivals == "peers":
        return [*torches, _method("auto"), *others]
    loops = Contender("convlab naive", "numpy", _convlab("naive"), "kernels")
    return [*torches, loops, *others, *map(_method, (*methods, "auto"))]


def _grouped(name: str) -> list[Contender]:
    """Pair the ordinary layer with the grouped or separable one, in each memory format."""
    pairs = []
    for suffix, memory_format in (
        ("", torch.contiguous_format),
        (" channels_last", torch.channels_last),
    ):
        ordinary = f"{REFERENCE}{suffix}"
        cheaper = separable if name == "separable" else _torch
        pairs += [
            Contender(ordinary, "torch", _ungrouped(memory_format), reference=ordinary),
            Contender(f"torch {name}{suffix}", "torch", cheaper(memory_format), reference=ordinary),
        ]
    return pairs


def _ungrouped(memory_format: torch.memory_format) -> Callable[[Problem], Call]:
    call = _torch(memory_format)
    return lambda problem: call(ungrouped(problem))


def _method(name: str) -> Contender:
    return Contender(f"convlab {name}", "numpy", _convlab(name), "images")


def _convlab(method: str) -> Callable[[Problem], Call]:
    """Call `convlab.ops.conv2d` with this method, with its argument checks."""

    def prepare(problem: Problem) -> Call:
        layer, x, w = problem.layer, problem.x, problem.w
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return lambda: (ops.conv2d(x, w, None, *settings, method=method),)

    return prepare


def _prepacked(problem: Problem) -> Call:
    """Call a `convlab.ops.PrepackedConv2d`."""
    layer = problem.layer
    settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
    convolution = ops.PrepackedConv2d(problem.w, None, *settings)
    return lambda: (convolution(problem.x),)


def _packed(problem: Problem) -> Call:
    """Call PyTorch's oneDNN on weights that are in its own order beforehand.

    This is what `torch.compile` calls for a convolution with constant weights. The result is in
    the memory format that oneDNN prefers.
    """
    layer = problem.layer
    _check_onednn(problem)
    x = torch.from_numpy(problem.x).clone()
    stride, padding, dilation = ([n, n] for n in (layer.stride, layer.padding, layer.dilation))
    w = torch.ops.aten.mkldnn_reorder_conv2d_weight(
        torch.from_numpy(problem.w).to_mkldnn(), padding, stride, dilation, layer.groups, x.shape
    )
    arguments: tuple[Any, ...] = (
        x,
        w,
        None,
        padding,
        stride,
        dilation,
        layer.groups,
        "none",
        [],
        "",
    )
    return lambda: (torch.ops.mkldnn._convolution_pointwise(*arguments),)


def _check_onednn(problem: Problem) -> None:
    if problem.x.dtype != np.float32:
        raise ValueError("oneDNN has no convolution in float64")


def _compiled(problem: Problem) -> Call:
    """Call a ``torch.nn.Conv2d`` compiled with freezing: its weights are constants."""
    layer = problem.layer
    _check_onednn(problem)
    module = torch.nn.Conv2d(
        layer.channels, layer.kernels, layer.kernel_size, layer.stride, layer.padding,
        layer.dilation, layer.groups, bias=False,
    )  # fmt: skip
    module.weight = torch.nn.Parameter(torch.from_numpy(problem.w).clone(), requires_grad=False)
    x = torch.from_numpy(problem.x).clone()
    torch.compiler.reset()  # else a limit of compilations of the same code is reached
    with inductor_config.patch(freezing=True):
        compiled = torch.compile(module.eval())
        compiled(x)
    return lambda: (compiled(x),)


def _torch(memory_format: torch.memory_format) -> Callable[[Problem], Call]:
    """Call PyTorch on tensors that already have this memory format."""

    def prepare(problem: Problem) -> Call:
        def tensor(array: Any) -> torch.Tensor:
            return torch.from_numpy(array).clone().contiguous(memory_format=memory_format)

        tensors = tensor(problem.x), tensor(problem.w), tensor(problem.g)
        return lambda: torch_results(problem.layer, problem.task, *tensors)

    return prepare


def gradients(problem: Problem) -> Call:
    """Call `convlab.ops.conv2d_backward`, or the function for a single gradient."""
    layer, g, x, w = problem.layer, problem.g, problem.x, problem.w
    if problem.task == GRADIENTS:
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return lambda: ops.conv2d_backward(g, x, w, *settings)

    stride, dilation = (layer.stride, layer.stride), (layer.dilation, layer.dilation)
    geometry = Geometry(stride, (layer.padding,) * 4, dilation, layer.groups)
    if problem.task == GRAD_INPUT:
        return lambda: (grad_input(g, w, (layer.size, layer.size), geometry),)
    return lambda: (grad_weight(g, x, (w.shape[2], w.shape[3]), geometry),)


def ungrouped(problem: Problem) -> Problem:
    """Return the problem with the same result and no groups."""
    layer = problem.layer
    return replace(
        problem,
        layer=replace(layer, groups=1),
        w=ops.ungrouped_weight(problem.w, layer.groups),
    )


def factors(w: Array) -> tuple[Array, Array]:
    """Factor a separable weight into the weights of a depthwise and a 1x1 convolution.

    Each slice of a kernel is a multiple of that of the first kernel; the multiples are the 1x1
    weights.
    """
    depthwise = w[0]  # (C, kH, kW)
    squares = np.square(depthwise).sum(axis=(1, 2))  # (C,)
    multiples = (w * depthwise).sum(axis=(2, 3)) / squares  # (O, C)
    return depthwise[:, None], multiples[:, :, None, None]


def separable(memory_format: torch.memory_format) -> Callable[[Problem], Call]:
    """Call PyTorch twice: a depthwise convolution, then a 1x1 convolution."""

    def prepare(problem: Problem) -> Call:
        layer = problem.layer
        x, depthwise, pointwise = (
            torch.from_numpy(array).clone().contiguous(memory_format=memory_format)
            for array in (problem.x, *factors(problem.w))
        )
        settings = (layer.stride, layer.padding, layer.dilation, layer.channels)
        return lambda: (conv2d(conv2d(x, depthwise, None, *settings), pointwise),)

    return prepare
