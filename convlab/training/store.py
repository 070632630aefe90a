"""The folder of a training: what is saved there, and how a training continues from it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from convlab._files import FolderLock
from convlab.training import checkpoint
from convlab.training.checkpoint import CheckpointError
from convlab.training.distributed import World
from convlab.training.history import History
from convlab.training.state import TrainState, differences


class FolderInUse(RuntimeError):
    """Another process trains into the same folder at this moment."""


class Store:
    """Saves and restores a training. Process 0 reads and writes, for all.

    Parameters
    ----------
    folder : Path
        Made if missing.
    keep : int
        How many checkpoints stay.
    world : World
        The processes.
    identity : dict
        What `convlab.training.state.identity` says about the training.
    """

    def __init__(self, folder: Path, keep: int, world: World, identity: dict[str, Any]) -> None:
        self.folder, self.keep, self.world, self.identity = folder, keep, world, identity
        self._lock = FolderLock(folder)

    def resume(self, state: TrainState) -> History:
        """Put the state back to the newest checkpoint, and return the history up to there.

        Raises
        ------
        CheckpointError
            If there are checkpoints and none can be read.
        FolderInUse
            If another process works in the folder. It is locked until `close`.
        OSError
            If the folder cannot be made or written to.
        ValueError
            If the newest one is of another training.

        Warns
        -----
        UserWarning
            For each checkpoint that is newer and cannot be read.
        """
        # One process looks, for all: they must not disagree about which one is newest.
        found: Any = None
        if self.world.rank == 0:
            try:
                found = self._look()
            except (CheckpointError, FolderInUse, OSError) as error:
                found = error
        found = self.world.of_first(found)
        if isinstance(found, Exception):
            raise found
        saved, problems = found
        for problem in problems if self.world.rank == 0 else []:
            warnings.warn(f"{problem}; the one before it is used", stacklevel=3)
        if saved is not None:
            other = differences(saved["identity"], self.identity)
            if other:
                raise ValueError(
                    f"{self.folder} holds another training: {'; '.join(other)}. Choose another "
                    f"folder, or remove that one"
                )
            state.restore(saved)
        epochs = saved["history"] if saved is not None else ()
        return History(self.folder if self.world.rank == 0 else None, epochs)

    def _look(self) -> tuple[dict[str, Any] | None, list[str]]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            alone = self._lock.acquire()
        except OSError as error:
            raise OSError(
                f"{self.folder} cannot be the folder of a training: {error.strerror or error}"
            ) from error
        if not alone:
            raise FolderInUse(
                f"another process trains into {self.folder} at this moment: wait until it has "
                f"ended, or choose another folder"
            )
        checkpoint.remove_unfinished(self.folder)
        return checkpoint.latest(self.folder)

    def close(self) -> None:
        """Leave the folder to others."""
        self._lock.release()

    def save(self, state: TrainState, history: History) -> None:
        """Write a checkpoint. All processes must call it."""
        contents = {
            **state.to_dict(), "identity": self.identity, "history": history.to_list(),
        }  # fmt: skip
        if self.world.rank == 0:
            checkpoint.save(self.folder, state.step, contents, self.keep)

    def newest(self) -> Path | None:
        """Return the newest checkpoint file, if there is one."""
        return next(iter(checkpoint.checkpoints(self.folder)), None)
