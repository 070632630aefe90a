"""What the command line asks of the processes that measure."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """A network, and how it is to be trained."""

    network: str
    contenders: tuple[str, ...]
    device: str
    threads: int
    batch: int
    count: int  # images per epoch
    rounds: int

    def to_json(self) -> str:
        """Write it on one line, for a command."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Read it again."""
        data = json.loads(text)
        return cls(**{**data, "contenders": tuple(data["contenders"])})
