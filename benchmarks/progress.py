"""A line on the terminal that says how far things are."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO


class Progress:
    """Count steps on one line that is written over; in a log file, one line per heading.

    Parameters
    ----------
    total : int
        Number of steps.
    stream : file
        Where to write.
    now : callable
        The time in seconds.
    """

    WIDTH = 24

    def __init__(
        self, total: int, stream: TextIO, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.total, self.done = total, 0
        self.stream, self.now, self.start = stream, now, now()
        self.heading = ""

    def begin(self, heading: str) -> None:
        """Start a section."""
        self.heading = heading
        self._write() if self.stream.isatty() else self._say(f"{self._clock()} {heading}\n")

    def step(self, name: str) -> None:
        """One more is done, and was called `name`."""
        self.done += 1
        if self.stream.isatty():
            self._write(name)

    def finish(self) -> None:
        """Leave the line."""
        self._say("\r\x1b[K" if self.stream.isatty() else f"{self._clock()} done\n")

    def _write(self, name: str = "") -> None:
        filled = self.WIDTH * self.done // max(1, self.total)
        bar = "#" * filled + "." * (self.WIDTH - filled)
        text = f"[{bar}] {self.done}/{self.total} {self._clock()} {self.heading} {name}"
        self._say(f"\r\x1b[K{text[:79]}")

    def _clock(self) -> str:
        minutes, seconds = divmod(int(self.now() - self.start), 60)
        return f"{minutes}:{seconds:02}"

    def _say(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
