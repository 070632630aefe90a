"""Write files atomically, and lock folders."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{32}\.part")  # the temporary files of `atomic_write`
# Descriptors of the folders that this process has locked.
_locked: set[int] = set()


def atomic_write(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file so that every reader sees the old content or the new, never a part.

    The content goes to ``.NAME.*.part`` in the same folder, is flushed to the disk, and replaces
    the file in one step. Several processes may write the same file at once: each version is whole,
    and the last one stays.

    Parameters
    ----------
    path : Path
        Replaced if it exists. Its folder must exist.
    write : callable
        Receives an open binary file.

    Raises
    ------
    OSError
        If the file cannot be written, also if `write` then raises another exception, as
        ``torch.save`` does. It is a PermissionError if the system raises one. The old content
        stays, and the temporary file is removed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a")
    ...     atomic_write(path, lambda file: file.write(b"all of it"))
    ...     path.read_bytes()
    b'all of it'
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except Exception as error:
        reason = _find_os_error(error)
        if reason is None:
            raise
        cls = PermissionError if isinstance(reason, PermissionError) else OSError
        raise cls(f"{path} could not be written: {reason.strerror or reason}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files of processes that were killed in `atomic_write`.

    No other process may be writing into the folder.
    """
    for path in folder.glob(".*.part"):
        if _UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _find_os_error(error: BaseException | None) -> OSError | None:
    """Return the OSError that an exception is, or was raised after."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error


def sync_folder(folder: Path) -> None:
    """Flush the file names in a folder to the disk, if the operating system supports it."""
    if os.name != "posix":
        return
    with suppress(OSError):  # a folder without read permission, or a network file system
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class FolderLock:
    """An exclusive lock on a folder, released by the operating system when the process ends.

    The folder itself is locked (``flock``), so no lock file is left in it, and a folder without
    write permission can be locked too. A forked child does not keep the lock of its parent. The
    lock is advisory: it holds between users of this class. On Windows and on file systems without
    ``flock`` it locks nothing, and every `acquire` succeeds.

    Parameters
    ----------
    folder : Path
        Must exist when the lock is acquired.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, FolderLock(Path(folder)):
    ...     FolderLock(Path(folder)).acquire()
    False
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self, wait: bool = False) -> bool:
        """Acquire the lock and return True, or return False if another holder has it.

        Parameters
        ----------
        wait : bool
            Wait until the lock is free.

        Raises
        ------
        OSError
            If the folder does not exist or cannot be read.
        """
        if fcntl is None:
            return True
        descriptor = os.open(self._folder, os.O_RDONLY)
        _locked.add(descriptor)
        self._descriptor = descriptor
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            self.release()
            return False
        except OSError:
            pass  # this file system does not support flock
        except BaseException:  # Ctrl-C during the wait
            self.release()
            raise
        return True

    def release(self) -> None:
        """Release the lock. Without a lock, do nothing."""
        if self._descriptor in _locked:
            _locked.remove(self._descriptor)
            os.close(self._descriptor)
        self._descriptor = None

    def __enter__(self) -> FolderLock:
        self.acquire(wait=True)
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


def _close_inherited_locks() -> None:
    """Close the descriptors that a forked child inherits; they would keep the locks alive."""
    while _locked:
        with suppress(OSError):
            os.close(_locked.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited_locks)
