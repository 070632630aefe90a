"""Checkpoints of a training run: written atomically, verified when loaded, kept in a folder.

A checkpoint is an ordinary file of `torch.save`, written under another name and then renamed, so
that it is complete whenever the process is killed. It is a zip archive; the checksums of its
members are verified first, since PyTorch would load a damaged one without an error. Loading never
runs code (``weights_only=True``).
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import nn

from convlab._files import FolderLock, atomic_write, remove_unfinished
from convlab.data import Dataset
from convlab.training.config import TrainConfig
from convlab.training.distributed import DistributedContext
from convlab.training.errors import CheckpointError, FolderInUse
from convlab.training.history import History
from convlab.training.state import TrainState

FORMAT = "convlab.training checkpoint 2"
_NAME = re.compile(r"checkpoint-(\d+)\.pt")


class CheckpointManager:
    """Save and resume a training run in a folder, which it locks; a context manager.

    The folder is created if it is missing; without one (None), nothing is saved or resumed. The
    newest `keep` checkpoints are kept. Process 0 reads and writes for all processes.
    """

    def __init__(self, folder: Path | None, keep: int, state: TrainState, data: Dataset) -> None:
        self.folder, self.keep, self.state = folder, keep, state
        if folder is not None:
            self._lock = FolderLock(folder)
            self._fingerprint = run_fingerprint(state.model, data, state.config, state.context)

    def __enter__(self) -> CheckpointManager:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.folder is not None:
            self._lock.release()

    def resume(self) -> None:
        """Lock the folder, and restore the state from the newest readable checkpoint, if any.

        Warns (UserWarning) of each newer checkpoint that cannot be read.

        Raises
        ------
        CheckpointError
            If there are checkpoints and none can be read.
        FolderInUse
            If another process has locked the folder.
        OSError
            If the folder cannot be created or written to.
        ValueError
            If the checkpoint belongs to another training run.
        """
        if self.folder is None:
            return
        # Process 0 loads the checkpoint for all processes, so that all resume from the same one.
        context = self.state.context
        found: Any = None
        if context.is_primary:
            try:
                found = self._open(self.folder)
            except (CheckpointError, FolderInUse, OSError) as error:
                found = error
        found = context.broadcast(found)
        if isinstance(found, Exception):
            raise found
        saved, problems = found
        for problem in problems if context.is_primary else ():
            warnings.warn(f"{problem}; the one before it is used", stacklevel=3)
        if saved is not None:
            differences = fingerprint_differences(saved["fingerprint"], self._fingerprint)
            if differences:
                raise ValueError(
                    f"{self.folder} holds another training run: {'; '.join(differences)}. "
                    f"Choose another folder, or remove that one"
                )
            self.state.load_state_dict(saved)
        epochs = saved["history"] if saved is not None else ()
        self.state.history = History(self.folder if context.is_primary else None, epochs)

    def _open(self, folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
        """Create and lock the folder, and load its newest checkpoint."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            locked = self._lock.acquire()
        except OSError as error:
            raise OSError(
                f"{folder} cannot be used as the output folder: {error.strerror or error}"
            ) from error
        if not locked:
            raise FolderInUse(
                f"another process is training into {folder}: wait until it ends, or choose "
                f"another folder"
            )
        remove_unfinished(folder)
        return load_latest(folder)

    def save(self) -> None:
        """Write a checkpoint. All processes must call it."""
        if self.folder is None:
            return
        contents = {**self.state.state_dict(), "fingerprint": self._fingerprint}
        if self.state.context.is_primary:
            save_checkpoint(self.folder, self.state.step, contents, self.keep)

    def newest(self) -> Path | None:
        """Return the newest checkpoint file, if there is one."""
        return next(iter(list_checkpoints(self.folder)), None) if self.folder is not None else None


def save_checkpoint(folder: Path, step: int, contents: Mapping[str, Any], keep: int = 2) -> Path:
    """Write a checkpoint to an existing folder, and remove all but the newest `keep`.

    `contents` may hold tensors, numbers, strings, and lists, tuples and dicts of them. The file
    after step 12, which is returned, is ``checkpoint-00000012.pt``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     for step in (1, 2, 3):
    ...         newest = save_checkpoint(folder, step, {"weights": torch.ones(2)})
    ...     print(newest.name, len(list_checkpoints(folder)), load_checkpoint(newest)["weights"])
    checkpoint-00000003.pt 2 tensor([1., 1.])
    """
    path = folder / f"checkpoint-{step:08d}.pt"
    complete = {"format": FORMAT, "step": step, **contents}
    atomic_write(path, lambda file: torch.save(complete, file))
    for old in list_checkpoints(folder)[keep:]:
        old.unlink(missing_ok=True)
    return path


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoint files of a folder, the newest first; none if it does not exist."""
    matches = {path: _NAME.fullmatch(path.name) for path in folder.glob("checkpoint-*.pt")}
    steps = {path: int(match[1]) for path, match in matches.items() if match}
    return sorted(steps, key=lambda path: steps[path], reverse=True)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Verify a checkpoint, and load it to the CPU.

    Raises
    ------
    CheckpointError
        If the file is damaged or truncated, or is not a checkpoint of this package and version.
    OSError
        If it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise CheckpointError(f"{path} is truncated or not a checkpoint ({error})") from error
    if damaged is not None:
        raise CheckpointError(f"{path} is damaged: the checksum of {damaged} is wrong")
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:  # PyTorch's message would suggest running what is in it
        raise CheckpointError(
            f"{path} is not a checkpoint of convlab: it holds more than tensors, numbers and "
            f"strings, and is not loaded, because that could run foreign code"
        ) from error
    except (RuntimeError, KeyError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is not a checkpoint of convlab ({reason})") from error
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a checkpoint of this version of convlab")
    return contents


def load_latest(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Load the newest readable checkpoint, or None without any; list the problems of newer ones.

    Raises
    ------
    CheckpointError
        If there are checkpoints and none can be read. Starting from the beginning would overwrite
        them, though they may be recoverable.

    Examples
    --------
    >>> load_latest(Path("no such folder"))
    (None, [])
    """
    problems: list[str] = []
    for path in list_checkpoints(folder):
        try:
            return load_checkpoint(path), problems
        except (CheckpointError, OSError) as error:
            problems.append(str(error))
    if problems:
        raise CheckpointError(
            f"no checkpoint in {folder} can be used, so there is nothing to continue from; "
            f"remove them to start from the beginning. {'; '.join(problems)}"
        )
    return None, []


def run_fingerprint(
    model: nn.Module, data: Dataset, config: TrainConfig, context: DistributedContext
) -> dict[str, Any]:
    """Return what must be equal to continue from a checkpoint.

    These are the settings, the type of the device, the number of processes, and checksums of the
    model's names and shapes and of the images and labels.
    """
    shapes = [f"{name} {tuple(value.shape)}" for name, value in model.state_dict().items()]
    parts = []
    for part in ("train", "validation"):
        images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
        parts.append(f"{part} {len(labels)}/{_checksum(images, labels)}")
    return {
        **config.to_dict(),
        "device": context.device.type,
        "model": f"{type(model).__name__} {zlib.crc32(';'.join(shapes).encode()):08x}",
        "data": " ".join(parts),
        "processes": context.world_size,
    }


def fingerprint_differences(saved: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """Describe the entries in which two fingerprints differ.

    Examples
    --------
    >>> fingerprint_differences({"epochs": 10, "seed": 0}, {"epochs": 20, "seed": 0})
    ['epochs is 10 there and 20 here']
    """
    return [
        f"{name} is {saved.get(name)} there and {own.get(name)} here"
        for name in dict.fromkeys([*saved, *own])
        if saved.get(name) != own.get(name)
    ]


def _checksum(*arrays: np.ndarray[Any, Any]) -> str:
    total = 0
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return f"{total:08x}"
