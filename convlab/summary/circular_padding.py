"""Follow functions that are executed without operations, or as many that have no rule."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import _disable_current_modes

from convlab.summary.axis_field import AxisField
from convlab.summary.operation_rules import pad
from convlab.summary.tracker import Tracker

# Functions that read numbers from a tensor without an operation.
_READING = {
    getattr(torch.Tensor, name)
    for name in ("tolist", "numpy", "__array__", "__dlpack__", "__deepcopy__", "__reduce_ex__")
}


class CircularPadding(TorchFunctionMode):
    """Set the fields of what ``F.pad(..., mode="circular")`` returns; note numbers that are read.

    Circular padding, also inside layers, is executed as copies of parts of the image.
    """

    def __init__(self, tracker: Tracker) -> None:
        super().__init__()
        self._tracker = tracker

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function; set the fields if it is a circular padding."""
        kwargs = kwargs or {}
        if func in _READING:
            self._tracker.read(args[0])
        result = func(*args, **kwargs)
        if func is torch.nn.functional.pad and "circular" in (*args[2:3], kwargs.get("mode")):
            x = args[0] if args else kwargs["input"]
            amounts = args[1] if len(args) > 1 else kwargs["pad"]

            def padded(numbers: Tensor) -> Any:
                with _disable_current_modes():
                    return func(numbers, amounts, mode="circular")

            info = self._tracker.info(x)
            if info.depends_on_input:
                fields = (
                    pad(f, x, amounts, padded) if isinstance(f, AxisField) else f
                    for f in info.fields
                )
                self._tracker.set_fields(result, tuple(fields))
        return result
