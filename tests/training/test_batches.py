"""Tests of order, normalization and augmentation, equal in both classes of batches."""

import itertools

import numpy as np
import pytest
import torch

from convlab.data import Dataset
from convlab.training import TrainConfig
from convlab.training.batches import (
    Augmentation,
    DeviceBatches,
    LoaderBatches,
    Normalization,
    batch_order,
)
from convlab.training.distributed import DistributedContext

WAYS = [DeviceBatches, LoaderBatches]
HEIGHT, WIDTH = 6, 5  # of the images of the augmentation


def dataset(images, labels):
    return Dataset("random", images, labels, images[:0], labels[:0], ("a", "b", "c", "d"))


def made(way, images, device="cpu", rank=0, size=1, **settings):
    config = TrainConfig(**{"batch_size": 6, "batches": "loader", **settings})
    return way(dataset(*images), config, DistributedContext(rank, size, torch.device(device)))


def test_an_epoch_takes_each_image_at_most_once_and_the_next_in_another_order():
    orders = [batch_order(50, 8, epoch, seed=1) for epoch in range(3)]
    for order in orders:
        assert order.shape == (6, 8)
        assert order.unique().numel() == 48
    assert not torch.equal(orders[0], orders[1])
    assert torch.equal(batch_order(50, 8, 1, seed=1), orders[1])
    assert not torch.equal(batch_order(50, 8, 1, seed=2), orders[1])


@pytest.mark.parametrize("way", WAYS)
def test_batches_are_normalized_images_with_their_labels(way, random_images, device):
    images, labels = random_images
    batches = made(way, random_images, device)
    assert (batches.steps_per_epoch, batches.batch_size) == (3, 6)
    mean, std = ((images / 255).mean((0, 2, 3)), (images / 255).std((0, 2, 3)))
    mean, std = mean.reshape(3, 1, 1), std.reshape(3, 1, 1)
    for step, (found, right) in enumerate(batches.epoch(4)):
        taken = batches.positions(4, step)
        assert found.device.type == right.device.type == device
        assert found.is_contiguous()
        np.testing.assert_allclose(
            found.cpu().numpy(), (images[taken] / 255 - mean) / std, rtol=1e-5, atol=1e-5
        )
        assert right.tolist() == labels[taken].tolist()
        assert right.dtype == torch.int64


# Where another test has started JAX in this process, it warns of loaders that fork.
@pytest.mark.filterwarnings("ignore:os.fork.. was called:RuntimeWarning")
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "settings", [{}, {"flip": True, "crop": 2, "cutout": 3}, {"channels_last": True}]
)
def test_both_classes_make_the_same_batches(random_images, settings, workers, device):
    ways = [
        made(DeviceBatches, random_images, device, **settings),
        made(LoaderBatches, random_images, device, loader_workers=workers, **settings),
    ]
    for epoch in (0, 1):
        for (ours, right), (theirs, also) in zip(*(w.epoch(epoch) for w in ways), strict=True):
            assert torch.equal(ours, theirs)
            assert torch.equal(right, also)
            assert ours.stride() == theirs.stride()


@pytest.mark.parametrize("way", WAYS)
def test_an_epoch_can_be_entered_at_any_step(way, random_images):
    batches = made(way, random_images, crop=1)
    whole = [images for images, _ in batches.epoch(2)]
    for first in range(4):
        rest = [images for images, _ in batches.epoch(2, first)]
        assert len(rest) == 3 - first
        assert all(map(torch.equal, rest, whole[first:]))


@pytest.mark.parametrize("way", WAYS)
def test_the_shares_of_all_processes_are_the_batch_of_one(way, random_images):
    settings = {"crop": 1, "flip": True, "cutout": 2}
    whole = [images for images, _ in made(way, random_images, **settings).epoch(0)]
    shares = [
        [images for images, _ in made(way, random_images, rank=r, size=2, **settings).epoch(0)]
        for r in range(2)
    ]
    for joint, *parts in zip(whole, *shares, strict=True):
        assert torch.equal(torch.cat(parts), joint)


@pytest.mark.parametrize("way", WAYS)
def test_the_loader_draws_nothing_from_the_generator_of_the_layers(way, random_images):
    batches = made(way, random_images, crop=1, flip=True)
    before = torch.get_rng_state()
    list(itertools.islice(batches.epoch(0), 2))
    assert torch.equal(torch.get_rng_state(), before)


def test_channels_last_is_a_layout_not_another_image(random_images):
    settings = [{"channels_last": False}, {"channels_last": True}]
    plain, last = (next(made(DeviceBatches, random_images, **s).epoch(0))[0] for s in settings)
    assert torch.equal(plain, last)
    assert last.is_contiguous(memory_format=torch.channels_last)


def test_a_set_smaller_than_a_batch_is_one_batch(random_images):
    batches = made(DeviceBatches, random_images, batch_size=1000)
    assert (batches.steps_per_epoch, batches.batch_size) == (1, 23)
    assert made(DeviceBatches, random_images, size=2, batch_size=1000).batch_size == 22


def test_the_blank_square_is_the_mean(random_images):
    images, _ = next(made(DeviceBatches, random_images, cutout=3).epoch(0))
    plain, _ = next(made(DeviceBatches, random_images).epoch(0))
    changed = images != plain
    assert changed.any()
    assert (images[changed] == 0).all()


def test_a_batch_that_cannot_be_shared(random_images):
    with pytest.raises(ValueError, match="divisible by the number of processes 2, got 7"):
        made(DeviceBatches, random_images, size=2, batch_size=7)
    few = tuple(part[:1] for part in random_images)
    with pytest.raises(ValueError, match="2 processes need at least 2 images, got 1"):
        made(DeviceBatches, few, size=2)
    message = "accumulation_steps must divide the 3 images that a process gets of each batch, got 2"
    with pytest.raises(ValueError, match=message):
        made(DeviceBatches, random_images, size=2, batch_size=6, accumulation_steps=2)


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        ([0.5], [0.1, 0.2]),
        ([0.5], [-0.1]),
        *(([0.5], [float(text)]) for text in ("nan", "inf")),
        *(([float(text)], [0.5]) for text in ("nan", "-inf")),
    ],
)
def test_normalization_needs_deviations(mean, std):
    with pytest.raises(ValueError, match="one number per channel, and std numbers of at least 0"):
        Normalization(mean, std, torch.device("cpu"))


def numbered(crop, device="cpu", count=200):
    """Return images whose pixels have the values 1, 2, ..., in a black frame."""
    pixels = 1 + torch.arange(HEIGHT * WIDTH, dtype=torch.uint8).reshape(1, HEIGHT, WIDTH, 1)
    padded = torch.nn.functional.pad(pixels, (0, 0, crop, crop, crop, crop))
    return padded.repeat(count, 1, 1, 1).to(device)


def augmented(crop=0, flip=False, cutout=0, step=0, device="cpu", count=200, share=None):
    augment = Augmentation(flip, crop, cutout, seed=3)
    order = torch.arange(count, device=device)
    cut, blank = augment(numbered(crop, device, count), order, step, share or slice(0, count))
    return cut[..., 0].cpu().numpy(), None if blank is None else blank.cpu().numpy()


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("crop", [0, 1, 2])
def test_every_result_is_a_shift_and_every_shift_occurs(crop, flip, device):
    whole = numbered(crop)[0, ..., 0].numpy()
    possible = set()
    for top in range(2 * crop + 1):
        for left in range(2 * crop + 1):
            window = whole[top : top + HEIGHT, left : left + WIDTH]
            possible.add(window.tobytes())
            if flip:
                possible.add(np.ascontiguousarray(window[:, ::-1]).tobytes())
    found = {
        np.ascontiguousarray(one).tobytes()
        for one in augmented(crop, flip, device=device, count=600)[0]
    }
    assert found == possible


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_the_center_of_a_blank_square_is_anywhere_in_the_image(side, device):
    _, blank = augmented(cutout=side, device=device, count=600)
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
    first = augmented(2, True, step=7, device=device)[0]
    assert (augmented(2, True, step=7, device=device)[0] == first).all()
    assert (augmented(2, True, step=8, device=device)[0] != first).any()


@pytest.mark.parametrize("share", [slice(0, 4), slice(4, 8)])
def test_a_share_of_the_batch_is_that_part_of_the_whole(share):
    whole, blank = augmented(1, True, 2, count=8)
    own, its_blank = augmented(1, True, 2, count=8, share=share)
    assert (own == whole[share]).all()
    assert (its_blank == blank[share]).all()


def test_without_augmentation_the_images_are_untouched():
    cut, blank = augmented()
    assert (cut == numbered(0)[..., 0].numpy()).all()
    assert blank is None
