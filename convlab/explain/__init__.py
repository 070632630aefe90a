"""Explain why a call of a PyTorch module fails: which layer, which numbers, and what makes it run.

`explain` runs a copy of the module without data, on the meta device (`meta`). A
``TorchFunctionMode`` intercepts every call of a function of PyTorch, and hooks tell which module
is running (`trace`). When one fails, its function, arguments, shapes and dtypes decide on the cause
(`rules`, `windows`), never the message alone. What no rule recognizes has the cause ``"unknown"``.
Changes that may help (`fixes`) are applied to further copies, and those are offered after which the
call runs. `explaining` does the same for an error that was raised, from the modules in its
traceback, and watches the block for mistakes that raise none (`watch`, `silent`).
"""

from convlab._require import require

require("torch", needed_by="convlab.explain")

from convlab.explain.explain import explain
from convlab.explain.explaining import explaining
from convlab.explain.explanation import CAUSES, Explanation, Fix
from convlab.explain.silent import MISTAKES, SilentMistakeWarning

__all__ = [
    "CAUSES",
    "MISTAKES",
    "Explanation",
    "Fix",
    "SilentMistakeWarning",
    "explain",
    "explaining",
]
