"""Exercises on the backward pass."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.gradients import bias, kernel, transposed  # noqa: F401
from convlab.check.exercises.gradients.values import chapter

__all__ = ["chapter"]
