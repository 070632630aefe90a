"""Checkpoints that are there as a whole or not at all.

A checkpoint is an ordinary file of `torch.save`, written under another name and then renamed, so
that whatever moment a process dies at, the file under its own name is complete. It is a zip
archive, and the check sums of all its members are compared before anything is believed; PyTorch
alone would load a damaged one without a word. Loading never runs code (``weights_only=True``).
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any

import torch

FORMAT = "convlab.training checkpoint 1"
_NAME = re.compile(r"checkpoint-(\d+)\.pt")
_UNFINISHED = ".unfinished"


class CheckpointError(RuntimeError):
    """A checkpoint cannot be used. The message names the file and says why."""


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file such that it is there as a whole or not at all.

    Parameters
    ----------
    path : Path
        Replaced if it exists.
    write : callable
        Gets an open binary file to write to.

    Raises
    ------
    OSError
        If the disk does not take it. Then nothing of it stays, and the file is as it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a")
    ...     write_whole(path, lambda file: file.write(b"all of it"))
    ...     path.read_bytes()
    b'all of it'
    """
    unfinished = path.with_name(path.name + _UNFINISHED)
    try:
        with open(unfinished, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        reason = _of_the_disk(error)
        if reason is None:
            raise
        raise OSError(f"{path} could not be written: {reason.strerror or reason}") from error
    if os.name == "posix":  # the new name must reach the disk too
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _of_the_disk(error: BaseException | None) -> OSError | None:
    """Find what the disk said; PyTorch's writer raises something of its own after it."""
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error


def save(folder: Path, step: int, contents: Mapping[str, Any], keep: int = 2) -> Path:
    """Write a checkpoint, then remove the oldest ones.

    Parameters
    ----------
    folder : Path
        Must exist.
    step : int
        Steps done so far: the number in the file's name.
    contents : mapping
        Tensors, numbers, strings, and lists, tuples and dicts of them.
    keep : int
        How many checkpoints stay, at least 1. 2, so that there is one before the newest.

    Returns
    -------
    Path
        The file, ``checkpoint-00000012.pt`` for step 12.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for step in (1, 2, 3):
    ...         newest = save(Path(folder), step, {"weights": torch.ones(2)})
    ...     print(newest.name, len(checkpoints(Path(folder))), read(newest)["weights"])
    checkpoint-00000003.pt 2 tensor([1., 1.])
    """
    path = folder / f"checkpoint-{step:08d}.pt"
    whole = {"format": FORMAT, "step": step, **contents}
    write_whole(path, lambda file: torch.save(whole, file))
    for old in checkpoints(folder)[keep:]:
        old.unlink(missing_ok=True)
    return path


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoint files of a folder, the newest step first."""
    found = [
        (int(m[1]), p) for p in folder.glob("checkpoint-*.pt") if (m := _NAME.fullmatch(p.name))
    ]
    return [path for _, path in sorted(found, reverse=True)]


def read(path: Path) -> dict[str, Any]:
    """Read a checkpoint, to the CPU.

    Raises
    ------
    CheckpointError
        If the file is damaged or truncated, or something else than a checkpoint of this package.
    OSError
        If it cannot be read at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise CheckpointError(f"{path} is truncated or no checkpoint ({error})") from error
    if damaged is not None:
        raise CheckpointError(f"{path} is damaged: the check sum of {damaged} is wrong")
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:  # PyTorch would advise to run what is in it
        raise CheckpointError(
            f"{path} is no checkpoint of convlab: it holds more than numbers and words, and is "
            f"not opened, because that could run foreign code"
        ) from error
    except (RuntimeError, KeyError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is no checkpoint of convlab ({reason})") from error
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise CheckpointError(f"{path} is no checkpoint of this version of convlab")
    return contents


def latest(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Read the newest checkpoint that can be read.

    Parameters
    ----------
    folder : Path
        Need not exist.

    Returns
    -------
    contents : dict, optional
        None if there is no checkpoint file at all.
    problems : list of str
        One sentence for each newer file that cannot be used.

    Raises
    ------
    CheckpointError
        If there are checkpoint files and none can be read: starting anew would overwrite what
        may yet be saved.

    Examples
    --------
    >>> latest(Path("no such folder"))
    (None, [])
    """
    problems: list[str] = []
    for path in checkpoints(folder):
        try:
            return read(path), problems
        except (CheckpointError, OSError) as error:
            problems.append(str(error))
    if problems:
        raise CheckpointError(
            f"no checkpoint in {folder} can be used, so there is nothing to continue from; "
            f"remove them to start anew. {'; '.join(problems)}"
        )
    return None, []


def remove_unfinished(folder: Path) -> None:
    """Remove what a process left that died while it wrote."""
    for path in folder.glob(f"*{_UNFINISHED}"):
        path.unlink(missing_ok=True)
