"""Winograd's algorithm: convolution and weight gradient with fewer multiplications."""

from convlab.ops.winograd.convolution import (
    check_winograd,
    transform_weight,
    winograd,
    winograd_grad_weight,
)
from convlab.ops.winograd.cook_toom import cook_toom

__all__ = [
    "check_winograd",
    "cook_toom",
    "transform_weight",
    "winograd",
    "winograd_grad_weight",
]
