"""The convolution backwards: from gradients of the output to those of what went in.

A convolution is linear in its input and linear in its weight, so each of the two ways
back is its *adjoint*: the same products, summed over other indices.

    input_gradient(g, w, size, sides, stride, dilation, groups) -> gradient of the input
    weight_gradient(g, x, kernel_size, sides, stride, dilation, groups) -> gradient of the weight

`g` is the gradient of the output, ``(N, O, outH, outW)``; `w` is ``(O, C / groups, kH,
kW)``; `x` is the input and `sides` its padding with zeros; stride, dilation and sizes are
pairs. All arguments have been checked. The transposed convolution is `input_gradient`
under another name.
"""

from convlab.ops.adjoints.input import input_gradient
from convlab.ops.adjoints.weight import weight_gradient

__all__ = ["input_gradient", "weight_gradient"]
