"""Exercises on pooling."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.pooling import averages, maxima, places, windows  # noqa: F401
from convlab.check.exercises.pooling.values import chapter

__all__ = ["chapter"]
