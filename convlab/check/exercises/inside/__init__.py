"""Exercises on trained networks."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.inside import heads, hooks, layers  # noqa: F401
from convlab.check.exercises.inside.values import chapter

__all__ = ["chapter"]
