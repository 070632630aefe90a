"""Exceptions raised by a training run."""

from __future__ import annotations

from pathlib import Path

POSITIONS_SHOWN = 8  # in the message of NonFiniteLoss


class CheckpointError(RuntimeError):
    """Raised if a checkpoint cannot be used; the message names the file and the reason."""


class FolderInUse(RuntimeError):
    """Raised if another process is training into the same folder."""


class DeviceError(ValueError):
    """Raised if the device does not exist or cannot be used."""


class WorkerLost(RuntimeError):
    """Raised if another process of the same job has ended, so that this one cannot continue."""


class Interrupted(KeyboardInterrupt):
    """Raised after a signal to stop, when the state is saved; the same call continues the run.

    `signal_number` is the signal received: SIGINT (Ctrl-C) or SIGTERM.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class NonFiniteLoss(FloatingPointError):
    """Raised if the loss becomes infinite or NaN.

    The attributes are its arguments: `step`, from 0, and `epoch`, from 1, in which it happened; the
    `learning_rate` of that step; the `positions` of its batch in the training images; and the
    path of the last `checkpoint`, of a finite state, or None.

    Examples
    --------
    >>> print(NonFiniteLoss(70, 3, 0.5, [4, 2], None))
    the loss is not finite in step 70 (epoch 3, learning rate 0.5, batch of the training images
    4, 2); no checkpoint was written before. A lower learning_rate or a max_grad_norm may help
    """

    def __init__(
        self,
        step: int,
        epoch: int,
        learning_rate: float,
        positions: list[int],
        checkpoint: Path | None,
    ) -> None:
        self.step, self.epoch, self.learning_rate = step, epoch, learning_rate
        self.positions, self.checkpoint = positions, checkpoint
        images = ", ".join(map(str, positions[:POSITIONS_SHOWN]))
        if len(positions) > POSITIONS_SHOWN:
            images += f" and {len(positions) - POSITIONS_SHOWN} more"
        last_good = "no checkpoint was written before"
        if checkpoint:
            last_good = f"the last good state is {checkpoint}"
        super().__init__(
            f"the loss is not finite in step {step} (epoch {epoch}, learning rate "
            f"{learning_rate:.3g}, batch of the training images {images}); {last_good}. A lower "
            f"learning_rate or a max_grad_norm may help"
        )
