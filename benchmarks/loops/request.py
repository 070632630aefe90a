"""Requests that the command line sends to the processes that measure."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """A network and the settings of its measurement."""

    network: str
    contenders: tuple[str, ...]
    device: str
    threads: int
    batch: int
    count: int  # images per epoch
    rounds: int

    def to_json(self) -> str:
        """Return the request as JSON on one line, for a command line."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Parse what `to_json` returns."""
        data = json.loads(text)
        return cls(**{**data, "contenders": tuple(data["contenders"])})
