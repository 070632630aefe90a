"""Exercises on normalization."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.normalization import batch, folding  # noqa: F401
from convlab.check.exercises.normalization.values import chapter

__all__ = ["chapter"]
