"""Request that the command line sends to the process of one part."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """A part of the run, and its settings.

    Parameters
    ----------
    part : str
        Name of the part.
    until : float
        When the process is killed, in seconds since 1970.
    rehearsal : bool
        Whether to do as little as possible, on the CPU.
    data : str, optional
        Folder with ``cifar10.npz``; None: digits stand in.
    seeds : int
        Number of trainings to an accuracy, of each network.
    """

    part: str
    until: float
    rehearsal: bool
    data: str | None
    seeds: int

    @property
    def device(self) -> str:
        """The device to compute on."""
        return "cpu" if self.rehearsal else "cuda"

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.until - time.time()

    def to_json(self) -> str:
        """Return the request as JSON on one line, for a command line."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Parse what `to_json` returns."""
        return cls(**json.loads(text))
