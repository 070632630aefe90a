"""Images brought to the shape that a network was made for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from convlab.data.dataset import Bytes, Dataset


def match_input(dataset: Dataset, input_shape: tuple[int, int, int]) -> Dataset:
    """Bring gray images to three channels, and small ones into a larger black frame.

    Nothing is lost by this: no pixel is cut off, averaged or invented. What would lose something,
    colours to gray or large to small, is refused.

    Parameters
    ----------
    dataset : Dataset
        Its images keep their order.
    input_shape : tuple of three ints
        Channels, height and width that the network takes, as in
        ``convlab.models.MODELS[name].input_shape``.

    Returns
    -------
    Dataset
        `dataset` itself if it has the shape already. The frame counts in its mean and standard
        deviation. Where an odd number of rows is added, the larger half is below; of columns,
        on the right.

    Raises
    ------
    ValueError
        If the images cannot be brought to that shape without a loss.

    Examples
    --------
    >>> from convlab.data import load
    >>> match_input(load("digits"), (3, 32, 32))
    <Dataset 'digits': 1442 training, 0 validation and 355 test images of 3 x 32 x 32, 10 classes>
    """
    channels, height, width = dataset.image_shape
    wanted_channels, wanted_height, wanted_width = input_shape
    if wanted_channels not in (channels, 3 if channels == 1 else channels):
        raise ValueError(
            f"{dataset.name} has images of {channels} channels, "
            f"which cannot be given to a network that takes {wanted_channels}"
        )
    if wanted_height < height or wanted_width < width:
        raise ValueError(
            f"{dataset.name} has images of {height} x {width} pixels, which do not fit into "
            f"the {wanted_height} x {wanted_width} that the network takes"
        )
    if dataset.image_shape == tuple(input_shape):
        return dataset
    return replace(
        dataset,
        train_images=_framed(dataset.train_images, input_shape),
        validation_images=_framed(dataset.validation_images, input_shape),
        test_images=_framed(dataset.test_images, input_shape),
    )


def _framed(images: Bytes, shape: tuple[int, int, int]) -> Bytes:
    """Put `images` into the middle of black ones; a single channel is written to all."""
    framed = np.zeros((len(images), *shape), np.uint8)
    height, width = images.shape[2:]
    top, left = (shape[1] - height) // 2, (shape[2] - width) // 2
    framed[:, :, top : top + height, left : left + width] = images
    return framed
