"""Exercises on training."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.training import epochs, losses, steps  # noqa: F401
from convlab.check.exercises.training.values import chapter

__all__ = ["chapter"]
