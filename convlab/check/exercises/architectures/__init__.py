"""Exercises on networks."""

# Each module enters its exercises when it is imported.
from convlab.check.exercises.architectures import residual, scores, vgg  # noqa: F401
from convlab.check.exercises.architectures.values import chapter

__all__ = ["chapter"]
