"""A folder that one process at a time works in."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # Windows has another kind of locks; nothing is locked there
    fcntl = None  # type: ignore[assignment]

_held: set[int] = set()  # open folders with a lock


class FolderLock:
    """A lock that the operating system gives back when the process ends, in whatever way.

    No file is made: the folder itself is locked, for those who ask. Where there are no such locks
    (Windows, some network file systems) everyone gets one.

    Parameters
    ----------
    folder : Path
        Must exist when the lock is taken.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, FolderLock(Path(folder)):
    ...     FolderLock(Path(folder)).take()
    False
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number: int | None = None

    def take(self, wait: bool = False) -> bool:
        """Take the lock, and tell whether it could be had.

        Parameters
        ----------
        wait : bool
            Wait until nobody else has it.

        Raises
        ------
        OSError
            If the folder cannot be read.
        """
        if fcntl is None:
            return True
        number = os.open(self._folder, os.O_RDONLY)
        _held.add(number)
        self._number = number
        try:
            fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            self.give_back()
            return False
        except OSError:
            pass  # this file system knows no locks
        except BaseException:  # Ctrl-C while it waited
            self.give_back()
            raise
        return True

    def give_back(self) -> None:
        """Let others have it."""
        if self._number in _held:
            _held.remove(self._number)
            os.close(self._number)
        self._number = None

    def __enter__(self) -> FolderLock:
        self.take(wait=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.give_back()


def _forget() -> None:
    """Close what a forked child has inherited: the lock would live as long as the child."""
    while _held:
        with suppress(OSError):
            os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
