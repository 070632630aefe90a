"""Exercises on what lies beyond the edge."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.padding import arguments, borders, windows  # noqa: F401
from convlab.check.exercises.padding.values import chapter

__all__ = ["chapter"]
