"""Exercises on output sizes."""

# Each module enters its exercises when it is imported, in their order on the page.
from convlab.check.exercises.shapes import formula, keeping, networks  # noqa: F401
from convlab.check.exercises.shapes.values import chapter

__all__ = ["chapter"]
