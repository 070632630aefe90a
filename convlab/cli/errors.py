"""Output of a command: its text, and the errors that end it with an exit code."""

from __future__ import annotations

import os
import sys

_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def rank() -> int:
    """Return the rank of this process if `torchrun` started it, else 0.

    Only rank 0 prints messages that are the same in all processes.
    """
    number = os.environ.get("RANK", "0")
    launched = all(name in os.environ for name in _TORCHRUN)  # RANK alone may be a leftover
    return int(number) if launched and number.isdecimal() else 0


class CommandError(Exception):
    """Raised if a command cannot be executed; the message is one sentence for the user.

    `code` is the exit code: 2 for a wrong argument, 1 for a missing package or a failure. If all
    processes of a job raise the error (`everywhere`), only rank 0 prints it.
    """

    def __init__(self, message: str, code: int = 2, everywhere: bool = True) -> None:
        super().__init__(message)
        self.code, self.everywhere = code, everywhere


class CheckFailed(Exception):
    """Raised if what a command checks does not hold; the message is its output, the exit code 1."""


def printable(text: str) -> str:
    """Return a text with question marks for characters that the terminal cannot encode."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, errors="replace").decode(encoding)
