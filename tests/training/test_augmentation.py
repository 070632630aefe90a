"""Each pixel of an augmented image is where arithmetic by hand puts it."""

import numpy as np
import pytest
import torch

from convlab.training.augmentation import Augmentation

HEIGHT, WIDTH = 6, 5


def images(crop, device="cpu", count=200):
    """Return images whose pixels say who they are, 1, 2, ..., in a black frame."""
    pixels = 1 + torch.arange(HEIGHT * WIDTH, dtype=torch.uint8).reshape(1, HEIGHT, WIDTH, 1)
    padded = torch.nn.functional.pad(pixels, (0, 0, crop, crop, crop, crop))
    return padded.repeat(count, 1, 1, 1).to(device)


def apply(crop=0, flip=False, cutout=0, step=0, device="cpu", count=200, part=None):
    augment = Augmentation(flip, crop, cutout, seed=3)
    order = torch.arange(count, device=device)
    cut, blank = augment(images(crop, device, count), order, step, part or slice(0, count))
    return cut[..., 0].cpu().numpy(), None if blank is None else blank.cpu().numpy()


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("crop", [0, 1, 2])
def test_every_result_is_a_shift_and_every_shift_occurs(crop, flip, device):
    whole = images(crop)[0, ..., 0].numpy()
    possible = set()
    for top in range(2 * crop + 1):
        for left in range(2 * crop + 1):
            window = whole[top : top + HEIGHT, left : left + WIDTH]
            possible.add(window.tobytes())
            if flip:
                possible.add(np.ascontiguousarray(window[:, ::-1]).tobytes())
    found = {
        np.ascontiguousarray(one).tobytes()
        for one in apply(crop, flip, device=device, count=600)[0]
    }
    assert found == possible


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_a_blank_square_has_its_centre_anywhere_in_the_image(side, device):
    _, blank = apply(cutout=side, device=device, count=600)
    found = {np.ascontiguousarray(one).tobytes() for one in blank}
    possible = set()
    for row in range(HEIGHT):
        for column in range(WIDTH):
            square = np.zeros((HEIGHT, WIDTH), bool)
            top, left = row - side // 2, column - side // 2
            square[max(0, top) : top + side, max(0, left) : left + side] = True
            possible.add(square.tobytes())
    assert found == possible


def test_the_same_step_looks_the_same_and_another_does_not(device):
    first = apply(2, True, step=7, device=device)[0]
    assert (apply(2, True, step=7, device=device)[0] == first).all()
    assert (apply(2, True, step=8, device=device)[0] != first).any()


@pytest.mark.parametrize("share", [slice(0, 4), slice(4, 8)])
def test_a_share_of_the_batch_is_that_part_of_the_whole(share):
    whole, blank = apply(1, True, 2, count=8)
    part, its_blank = apply(1, True, 2, count=8, part=share)
    assert (part == whole[share]).all()
    assert (its_blank == blank[share]).all()


def test_without_augmentation_the_images_are_untouched():
    cut, blank = apply()
    assert (cut == images(0)[..., 0].numpy()).all()
    assert blank is None
