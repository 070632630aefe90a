"""Exercises on what the layer computes."""

from convlab.check.exercises.math import layer  # noqa: F401 (enters its exercise)
from convlab.check.exercises.math.window import chapter

__all__ = ["chapter"]
