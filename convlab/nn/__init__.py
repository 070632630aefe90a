"""The convolution as a layer of PyTorch, and what can be done with such layers."""

from convlab.nn.folding import fold_batch_norm, fold_batch_norms, redundant_biases

__all__ = ["fold_batch_norm", "fold_batch_norms", "redundant_biases"]
