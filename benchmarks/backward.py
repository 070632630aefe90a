"""The gradients: how convlab is called on a backward problem."""

from __future__ import annotations

from benchmarks.problems import Call, Problem
from benchmarks.suites import GRAD_INPUT, GRADIENTS
from convlab.ops import conv2d_backward
from convlab.ops.adjoints import input_gradient, weight_gradient


def prepare(problem: Problem) -> Call:
    """Call `convlab.ops.conv2d_backward`, or the function behind one of its gradients."""
    layer, g, x, w = problem.layer, problem.g, problem.x, problem.w
    if problem.task == GRADIENTS:
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return lambda: conv2d_backward(g, x, w, *settings)

    size, sides = (layer.size, layer.size), (layer.padding,) * 4
    stride, dilation = (layer.stride, layer.stride), (layer.dilation, layer.dilation)
    if problem.task == GRAD_INPUT:
        return lambda: (input_gradient(g, w, size, sides, stride, dilation, layer.groups),)
    kernel_size = w.shape[2], w.shape[3]
    return lambda: (weight_gradient(g, x, kernel_size, sides, stride, dilation, layer.groups),)
