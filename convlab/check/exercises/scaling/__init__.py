"""Exercises on faster training and several devices."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.scaling import factors, parts, variances  # noqa: F401
from convlab.check.exercises.scaling.values import chapter

__all__ = ["chapter"]
