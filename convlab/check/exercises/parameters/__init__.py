"""Exercises on the arguments of the layer, and on what it learns."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.parameters import counts, weights  # noqa: F401
from convlab.check.exercises.parameters.values import chapter

__all__ = ["chapter"]
