"""Winograd's algorithm: convolution and weight gradient with fewer multiplications."""

from convlab.ops.winograd.convolution import winograd, winograd_grad_weight
from convlab.ops.winograd.cook_toom import cook_toom

__all__ = ["cook_toom", "winograd", "winograd_grad_weight"]
