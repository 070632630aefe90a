"""Write files that are complete or absent."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{32}\.part")  # the names that `atomic_write` writes to


def atomic_write(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file so that every reader sees the old content or the new, never a part.

    The content is written beside its place, flushed to the disk, and moved in one step. Several
    processes may write the same file at once: each version is whole, and the last one stays.

    Parameters
    ----------
    path : Path
        Replaced if it exists. Its folder must exist.
    write : callable
        Receives an open binary file.

    Raises
    ------
    OSError
        If the disk does not accept it, also if `write` raises another exception in consequence,
        as `torch.save` does. The file is as it was, and no temporary file is left.

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
    except BaseException as error:
        reason = _find_os_error(error)
        if reason is None:
            raise
        raise OSError(f"{path} could not be written: {reason.strerror or reason}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote.

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
    """Flush the names of a folder's files to the disk, where the system can do that."""
    if os.name != "posix":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems refuse
            os.fsync(number)
    finally:
        os.close(number)
