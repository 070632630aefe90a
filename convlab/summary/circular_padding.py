"""Derive the field of a circular padding, which is executed as copies of parts of the image."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from convlab.summary.axis_field import AxisField
from convlab.summary.operation_rules import pad
from convlab.summary.tracker import Tracker


class CircularPadding(TorchFunctionMode):
    """Set the fields of what ``F.pad(..., mode="circular")`` returns, also inside layers."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__()
        self._tracker = tracker

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run a function, and set the fields if it is a circular padding."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func is torch.nn.functional.pad and "circular" in (*args[2:3], kwargs.get("mode")):
            x = args[0] if args else kwargs["input"]
            amounts = args[1] if len(args) > 1 else kwargs["pad"]
            info = self._tracker.info(x)
            if info.depends_on_input:
                fields = (
                    pad(f, x, amounts) if isinstance(f, AxisField) else f for f in info.fields
                )
                self._tracker.set_fields(result, tuple(fields))
        return result
