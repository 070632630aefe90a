"""What a model is made of, layer by layer: shapes, parameters, cost, receptive field.

`summary` runs a model once and watches. Two things are watched: hooks say which module is
executing, and a ``TorchDispatchMode`` sees every operation that reaches PyTorch's kernels, so it
makes no difference whether a pooling is a module or a call of ``F.max_pool2d``. Each operation
then moves the image's traces from its inputs to its outputs by a rule of its own
(`convlab.summary.rules`), and one without a rule makes them unknown, never wrong.

Why not read the modules alone? Because half of a modern network is not in its modules: the sums of
ResNet, the concatenations of DenseNet, the shuffled channels of ShuffleNet are code.
"""

from convlab._require import require

require("torch", needed_by="convlab.summary")

from convlab.summary.layers import Layer, LayerField, Summary
from convlab.summary.summarize import summary

__all__ = ["Layer", "LayerField", "Summary", "summary"]
