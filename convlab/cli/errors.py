"""How a command says that it cannot do what it was told."""

from __future__ import annotations


class CommandError(Exception):
    """What a person typed cannot be done.

    Parameters
    ----------
    message : str
        One sentence for that person.
    code : int
        The exit code: 2 for a wrong argument, 1 for something that is not installed.
    """

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code
