"""Shifts, mirror images and blanked squares, drawn for a whole batch at once, on the device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from convlab.training.config import TrainConfig
from convlab.training.randomness import derived_seed


@dataclass(frozen=True)
class Augmentation:
    """What happens to the images of one step: a function of the seed and the step.

    Parameters
    ----------
    flip : bool
        Mirror with chance 1/2.
    crop : int
        Largest shift in pixels, in each direction.
    cutout : int
        Side of the blanked square.
    seed : int
        Seed of the run.

    Examples
    --------
    >>> images = torch.arange(2 * 9, dtype=torch.uint8).reshape(2, 3, 3, 1)
    >>> mirror = Augmentation(flip=True, crop=0, cutout=0, seed=0)
    >>> moved, blank = mirror(images, torch.tensor([0, 1]), step=0, part=slice(0, 2))
    >>> moved.shape, blank is None
    (torch.Size([2, 3, 3, 1]), True)
    """

    flip: bool
    crop: int
    cutout: int
    seed: int

    @classmethod
    def of(cls, config: TrainConfig) -> Augmentation:
        """Take the settings from a configuration."""
        return cls(config.flip, config.crop, config.cutout, config.seed)

    def __call__(
        self, padded: Tensor, positions: Tensor, step: int, part: slice
    ) -> tuple[Tensor, Tensor | None]:
        """Cut the images of one batch out of all images.

        Which image is taken, how far it is shifted and whether it is mirrored are three ways of
        saying which pixel goes where. So with shifts all of it is one look-up.

        Parameters
        ----------
        padded : Tensor (N, H + 2 crop, W + 2 crop, C)
            All images, with `crop` rows and columns of black on each side.
        positions : Tensor (B,)
            Which images the step takes, over all processes.
        step : int
            Number of the step in the training.
        part : slice
            Which of the B images this process wants. The others are drawn for as well, so that
            each image looks the same however many processes share the batch.

        Returns
        -------
        images : Tensor (part, H, W, C)
            Of the type of `padded`.
        blank : Tensor (part, H, W), optional
            True where the square lies.
        """
        crop, batch = self.crop, len(positions)
        height, width = padded.shape[1] - 2 * crop, padded.shape[2] - 2 * crop
        device = padded.device
        chance = torch.Generator(device)
        chance.manual_seed(derived_seed(self.seed, "augmentation", step))

        def draw(below: int) -> Tensor:
            """Return one number for each image of the step: 0, ..., below - 1."""
            return torch.randint(below, (batch, 1), generator=chance, device=device)[part]

        rows = torch.arange(height, device=device)[None]
        columns = torch.arange(width, device=device)[None]
        blank = None
        if self.cutout:
            inside = []
            for axis, size in ((rows, height), (columns, width)):
                offset = axis - draw(size) + self.cutout // 2
                inside.append((offset >= 0) & (offset < self.cutout))
            blank = inside[0][:, :, None] & inside[1][:, None, :]
        mirrored = draw(2).bool() if self.flip else None
        if not crop:  # whole images can be copied in one piece each, which is faster
            images = padded[positions[part]]
            if mirrored is not None:
                images = torch.where(mirrored[:, :, None, None], images.flip(2), images)
            return images, blank
        if mirrored is not None:
            columns = torch.where(mirrored, width - 1 - columns, columns)
        rows, columns = rows + draw(2 * crop + 1), columns + draw(2 * crop + 1)
        taken = positions[part][:, None, None]
        return padded[taken, rows[:, :, None], columns[:, None, :]], blank
