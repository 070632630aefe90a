"""Exercises on dilation and receptive fields."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.dilation import dilated_rows, fields, holes  # noqa: F401
from convlab.check.exercises.dilation.values import chapter

__all__ = ["chapter"]
