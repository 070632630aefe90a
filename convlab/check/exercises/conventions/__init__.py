"""Exercises on the conventions of other libraries."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.conventions import dense, kernels, paddings  # noqa: F401
from convlab.check.exercises.conventions.values import chapter

__all__ = ["chapter"]
