"""Exercises on fast convolution."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.algorithms import columns, products, winograd  # noqa: F401
from convlab.check.exercises.algorithms.values import chapter

__all__ = ["chapter"]
