"""Write files atomically, lock folders, and expand ``~`` in paths."""

from __future__ import annotations

import errno
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


def expand_home(path: str | os.PathLike[str]) -> Path:
    """Replace ``~`` or ``~user`` at the start of a path; raise ValueError for an unknown user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"the home folder in {os.fspath(path)!r} is unknown: write out the path"
        ) from error


def atomic_write(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file so that every reader sees the old content or the new, never a part.

    `write` is called with an open binary file, ``.NAME.*.part`` in the folder of `path`, which is
    flushed to the disk and then renamed. Several processes may write the same file at once: each
    version is complete, and the last one stays.

    Raises
    ------
    OSError
        If the file cannot be written, even if `write` then raises another exception, as
        ``torch.save`` does. A PermissionError stays one. The old content stays, and the temporary
        file is removed.

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
            _sync(file.fileno())
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
    """Return an exception if it is an OSError, else the OSError during which it was raised."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error


def _sync(descriptor: int) -> None:
    """Flush a file to the disk, unless its file system does not support that."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise


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

    The folder itself is locked (``flock``): this leaves no lock file, and needs no write
    permission. A forked child does not keep the lock of its parent. The lock is advisory: it only
    excludes other users of this class. On Windows and on file systems without ``flock`` it locks
    nothing, and every `acquire` succeeds.

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
        """Acquire the lock and return True, or return False if it is taken and not `wait`.

        Raises OSError if the folder does not exist or cannot be read.
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
        """Release the lock, if it is held."""
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
