"""Checkpoints of a training run: written atomically, verified when loaded, kept in a folder.

A checkpoint is an ordinary file of `torch.save`, written under another name and then renamed, so
that it is complete whenever the process is killed. It is a zip archive; the checksums of its
members are verified first, since PyTorch would load a damaged one without an error. Loading never
runs code (``weights_only=True``).
"""

from __future__ import annotations

import errno
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from pickle import PicklingError, UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convlab._files import FolderLock, atomic_write, remove_unfinished
from convlab.data import Dataset
from convlab.training.errors import CheckpointError, FolderInUse
from convlab.training.history import History
from convlab.training.loss import loss_identity
from convlab.training.state import TrainState

FORMAT = "convlab.training checkpoint 5"
# What reading a damaged archive raises; a header may say that it is encrypted (RuntimeError).
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, OverflowError,
)  # fmt: skip
_NAME = re.compile(r"checkpoint-(\d+)\.pt")


class CheckpointManager:
    """Save and resume a training run in a folder, which it locks; a context manager.

    The folder is created if it is missing; without one (None), nothing is saved or resumed. The
    newest `keep` checkpoints are kept. Process 0 reads and writes for all processes. `newest` is
    the checkpoint that was read or written last.
    """

    def __init__(self, folder: Path | None, keep: int, state: TrainState, data: Dataset) -> None:
        self.folder, self.keep, self.state = folder, keep, state
        self.newest: Path | None = None
        if folder is not None:
            self._lock = FolderLock(folder)
            self._fingerprint = run_fingerprint(state, data)
            check_extra_states(state.model)

    def __enter__(self) -> CheckpointManager:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.folder is not None:
            self._lock.release()

    def resume(self) -> None:
        """Lock the folder, and restore the state from the newest readable checkpoint, if any.

        Warns (UserWarning) of each newer checkpoint that cannot be read. Raises CheckpointError if
        none of several can be read, FolderInUse if another process has locked the folder, OSError
        if it cannot be created or read, ValueError if the checkpoint is of another training run.
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
            self.newest = _path(self.folder, saved["step"])
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
        self.newest = _path(self.folder, self.state.step)


def save_checkpoint(folder: Path, step: int, contents: Mapping[str, Any], keep: int = 2) -> Path:
    """Write a checkpoint to an existing folder, and remove all others but the newest `keep`.

    `contents` may hold tensors, numbers, strings, and lists, tuples and dicts of them. The new file
    is returned, and stays even if there are `keep` damaged ones of later steps.

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
    path = _path(folder, step)
    complete = {"format": FORMAT, "step": step, **contents}
    atomic_write(path, lambda file: torch.save(complete, file))
    for old in list_checkpoints(folder)[keep:]:
        if old != path:
            with suppress(OSError):  # open elsewhere, on Windows; the next save tries again
                old.unlink()
    return path


def _path(folder: Path, step: int) -> Path:
    return folder / f"checkpoint-{step:08d}.pt"


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoint files of a folder, the newest first; none if it does not exist."""
    matches = {path: _NAME.fullmatch(path.name) for path in folder.glob("checkpoint-*.pt")}
    steps = {path: int(match[1]) for path, match in matches.items() if match}
    return sorted(steps, key=lambda path: steps[path], reverse=True)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Verify a checkpoint, and load it to the CPU.

    Raises the errors of `load_verified`, and CheckpointError for a checkpoint of another version.
    """
    contents = load_verified(path)
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a checkpoint of this version of convlab")
    return contents


def load_verified(path: Path) -> Any:
    """Verify a file of tensors, such as ``model.pt``, and load it to the CPU.

    Raises CheckpointError if it is damaged, truncated, or holds other objects; or OSError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except _DAMAGED as error:
        raise CheckpointError(f"{path} is truncated or not a checkpoint ({error})") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # A damaged header names a place outside of the file.
        raise CheckpointError(f"{path} is truncated or not a checkpoint ({error})") from error
    if damaged is not None:
        raise CheckpointError(f"{path} is damaged: the checksum of {damaged} is wrong")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:  # PyTorch's message would suggest running what is in it
        raise CheckpointError(
            f"{path} is not a checkpoint of convlab: it holds more than tensors, numbers and "
            f"strings, and is not loaded, because that could run foreign code"
        ) from error
    except (RuntimeError, KeyError, EOFError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is not a checkpoint of convlab ({reason})") from error


def load_latest(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """Load the newest readable checkpoint, or None without any; list the problems of newer ones.

    Raises CheckpointError if there are checkpoints and none can be read: starting from the
    beginning would overwrite them, though they may be recoverable.

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


def check_extra_states(model: nn.Module) -> None:
    """Raise TypeError if an extra state of a module could not be loaded from a checkpoint.

    Examples
    --------
    >>> class Counts(nn.Module):
    ...     def get_extra_state(self):
    ...         return object()
    >>> check_extra_states(nn.Sequential(Counts()))
    Traceback (most recent call last):
    ...
    TypeError: 0._extra_state holds more than tensors, numbers and strings, which a checkpoint
    cannot restore
    """
    for name, value in model.state_dict().items():
        if isinstance(value, Tensor):
            continue
        file = io.BytesIO()
        try:
            torch.save(value, file)
            file.seek(0)
            torch.load(file, weights_only=True)
        except (UnpicklingError, PicklingError, AttributeError, TypeError) as error:
            raise TypeError(
                f"{name} holds more than tensors, numbers and strings, which a checkpoint cannot "
                f"restore"
            ) from error


def run_fingerprint(state: TrainState, data: Dataset) -> dict[str, Any]:
    """Return the properties of a run that must be equal to continue from a checkpoint.

    These are the settings that can change the result, the loss, the device type, the number of
    processes, the model's class, parameters, buffers and layers in eval mode, and the data.
    """
    settings = state.config.to_dict()
    del settings["batches"], settings["loader_workers"]
    parts = []
    for part in ("train", "validation"):
        images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
        parts.append(f"{part} {len(labels)}/{_checksum(np.array(images.shape), images, labels)}")
    parts.append(f"mean {list(data.mean)} std {list(data.std)}")
    saved = state.model.state_dict()
    return {
        **settings,
        "device": state.context.device.type,
        "loss": loss_identity(state.loss),
        "model": type(state.model).__name__,
        "parameters": [_describe(*pair) for pair in state.model.named_parameters()],
        "buffers": [
            _describe(name, buffer) + ("" if name in saved else ", not persistent")
            for name, buffer in state.model.named_buffers()
        ],
        "layers in eval mode": ", ".join(state.eval_modules) or "none",
        "data": " ".join(parts),
        "processes": state.context.world_size,
    }


def fingerprint_differences(saved: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """Describe the entries in which two fingerprints differ, of a list the first difference.

    Examples
    --------
    >>> fingerprint_differences({"epochs": 10, "seed": 0}, {"epochs": 20, "seed": 0})
    ['epochs is 10 there and 20 here']
    """
    differences = []
    for name in dict.fromkeys([*saved, *own]):
        there, here, subject = saved.get(name), own.get(name), name
        if there == here:
            continue
        if isinstance(there, list) and isinstance(here, list):
            pairs = zip_longest(there, here, fillvalue="nothing")
            there, here = next(pair for pair in pairs if pair[0] != pair[1])
            subject = f"the first of the {name} that differs"
        differences.append(f"{subject} is {there} there and {here} here")
    return differences


def _describe(name: str, value: Tensor) -> str:
    """Return the name, dtype and shape of a parameter or buffer, and whether it is trainable."""
    trainable = ", trainable" if value.requires_grad else ""
    return f"{name} ({str(value.dtype).removeprefix('torch.')}, {tuple(value.shape)}{trainable})"


def _checksum(*arrays: np.ndarray[Any, Any]) -> str:
    total = 0
    for array in arrays:
        total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return f"{total:08x}"
