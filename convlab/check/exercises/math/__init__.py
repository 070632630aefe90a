"""Exercises on what the layer computes."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.math import cell, layer, windows  # noqa: F401
from convlab.check.exercises.math.values import chapter

__all__ = ["chapter"]
