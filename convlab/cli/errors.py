"""How a command says that it cannot do what it was told."""

from __future__ import annotations

import os

_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def rank() -> int:
    """Return the number of this process among those that `torchrun` started, else 0.

    What all of them would say is said by number 0.
    """
    number = os.environ.get("RANK", "0")
    started = all(name in os.environ for name in _TORCHRUN)  # one alone may be a leftover
    return int(number) if started and number.isdecimal() else 0


class CommandError(Exception):
    """What a person typed cannot be done.

    Parameters
    ----------
    message : str
        One sentence for that person.
    code : int
        The exit code: 2 for a wrong argument, 1 for something that is not installed or failed.
    everywhere : bool
        Whether all processes of a job find it, so that one of them tells it.
    """

    def __init__(self, message: str, code: int = 2, everywhere: bool = True) -> None:
        super().__init__(message)
        self.code, self.everywhere = code, everywhere
