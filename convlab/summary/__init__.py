"""Summarize a model layer by layer: shapes, parameters, cost, receptive fields.

`summary` makes the inputs (`inputs`) and runs a model once. Hooks tell which module is running,
and a ``TorchDispatchMode`` intercepts every operation that reaches the kernels of PyTorch
(`recorder`), so it makes no difference whether pooling is a module or a call of ``F.max_pool2d``.
The sums of ResNet, which are not modules, are recorded too.

For every tensor the `tracker` knows whether it depends on the input, which parameters it was
computed from, and for each axis of the image its receptive field (`axis_field`). An operation
derives the fields of its outputs from those of its inputs by a rule (`operation_rules`). Without a
rule, or where a rule cannot decide, the field of the output is unknown, and so is that of
everything computed from it. Its cost (`counting`) is 0 if it is known to multiply no matrices, else
what the formula of PyTorch says, else unknown. `convlab._model_state` restores the model.
"""

from convlab._require import require

require("torch", needed_by="convlab.summary")

from convlab.summary.layers import Layer, LayerField
from convlab.summary.summarize import Summary, summary

__all__ = ["Layer", "LayerField", "Summary", "summary"]
