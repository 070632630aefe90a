"""Exercises on initialization."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.init import bound, fan, stack  # noqa: F401
from convlab.check.exercises.init.values import chapter

__all__ = ["chapter"]
