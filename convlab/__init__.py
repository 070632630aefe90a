"""convlab: what ``torch.nn.Conv2d`` computes, in code short enough to read.

`convlab.shapes`
    Window arithmetic: output sizes, padding amounts, the border that is dropped.
    Plain Python integers.
`convlab.ops`
    Convolution, padding and pooling in NumPy, with the names and semantics of
    ``torch.nn.functional``.
`convlab.data`
    Images to learn from: digits that are part of the package, MNIST, CIFAR-10. Needs
    torchvision for downloading.
`convlab.plots`
    The drawings of the book. Needs matplotlib.
`convlab.init`, `convlab.nn`, `convlab.models`, `convlab.summary`
    The PyTorch side: laws for the first weights, the layer from scratch, classic networks,
    and what a network is made of. Need PyTorch.

Importing the package imports NumPy and nothing else.
"""

from convlab import ops, shapes

__version__ = "0.1.0"
__all__ = ["ops", "shapes"]
