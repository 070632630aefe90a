"""Exercises on groups."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.groups import grouped, separable, shuffle  # noqa: F401
from convlab.check.exercises.groups.values import chapter

__all__ = ["chapter"]
