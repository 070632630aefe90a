"""A loss that is no number any more."""

from __future__ import annotations

from pathlib import Path

SHOWN = 8  # positions that the message lists


class NonFiniteLoss(FloatingPointError):
    """The loss became infinite or no number.

    Parameters
    ----------
    step, epoch : int
        Where: steps counted from 0, epochs from 1.
    learning_rate : float
        Of that step.
    positions : list of int
        Which training images were in the batch.
    checkpoint : Path, optional
        The last good state.

    Examples
    --------
    >>> print(NonFiniteLoss(70, 3, 0.5, [4, 2], None))
    the loss is not finite in step 70 (epoch 3, learning rate 0.5, batch of the training images
    4, 2); no checkpoint was written before. A lower learning rate or a clip_norm may help
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
        images = ", ".join(map(str, positions[:SHOWN]))
        if len(positions) > SHOWN:
            images += f" and {len(positions) - SHOWN} more"
        kept = f"the last good state is {checkpoint}"
        super().__init__(
            f"the loss is not finite in step {step} (epoch {epoch}, learning rate "
            f"{learning_rate:.3g}, batch of the training images {images}); "
            f"{kept if checkpoint else 'no checkpoint was written before'}. A lower learning "
            f"rate or a clip_norm may help"
        )
