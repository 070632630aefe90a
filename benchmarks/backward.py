"""The gradients: how convlab is called on a backward problem."""

from __future__ import annotations

from benchmarks.problems import Call, Problem
from benchmarks.suites import GRAD_INPUT, GRADIENTS
from convlab.ops import conv2d_backward
from convlab.ops.backward import grad_input, grad_weight
from convlab.ops.geometry import Geometry


def prepare(problem: Problem) -> Call:
    """Call `convlab.ops.conv2d_backward`, or the function behind one of its gradients."""
    layer, g, x, w = problem.layer, problem.g, problem.x, problem.w
    if problem.task == GRADIENTS:
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return lambda: conv2d_backward(g, x, w, *settings)

    stride, dilation = (layer.stride, layer.stride), (layer.dilation, layer.dilation)
    geometry = Geometry(stride, (layer.padding,) * 4, dilation, layer.groups)
    if problem.task == GRAD_INPUT:
        return lambda: (grad_input(g, w, (layer.size, layer.size), geometry),)
    return lambda: (grad_weight(g, x, (w.shape[2], w.shape[3]), geometry),)
