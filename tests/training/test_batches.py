"""Which images come when: every image at most once an epoch, the same from both ways."""

import itertools

import numpy as np
import pytest
import torch

from convlab.training import DeviceBatches, LoaderBatches, Normalization, TrainConfig, World
from convlab.training.batches import batch_order

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
WAYS = [DeviceBatches, LoaderBatches]


def made(way, images, device="cpu", rank=0, size=1, **settings):
    config = TrainConfig(**{"batch_size": 6, "batches": "loader", **settings})
    world = World(rank, size, torch.device(device))
    return way(*images, MEAN, STD, config, world)


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
    assert (batches.steps, batches.batch) == (3, 6)
    mean, std = (np.reshape(value, (3, 1, 1)) for value in (MEAN, STD))
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
def test_both_ways_make_the_same_batches(random_images, settings, workers, device):
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
    assert (batches.steps, batches.batch) == (1, 23)
    assert made(DeviceBatches, random_images, size=2, batch_size=1000).batch == 22


def test_the_blank_square_is_the_mean(random_images):
    images, _ = next(made(DeviceBatches, random_images, cutout=3).epoch(0))
    plain, _ = next(made(DeviceBatches, random_images).epoch(0))
    changed = images != plain
    assert changed.any()
    assert (images[changed] == 0).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda x, y: (x.astype(float), y), TypeError, "images must be an array of uint8"),
        (lambda x, y: (x.tolist(), y), TypeError, "images must be an array of uint8, got list"),
        (lambda x, y: (x[0], y), ValueError, r"images must be \(N, C, H, W\)"),
        (lambda x, y: (x[:0], y[:0]), ValueError, "with N at least 1"),
        (lambda x, y: (x, y[:-1]), ValueError, r"23 images need labels of shape \(23,\)"),
        (lambda x, y: (x[:, :1], y), ValueError, "images have 1 channels, mean and std 3"),
    ],
)
def test_what_is_no_set_of_images(random_images, change, error, message):
    with pytest.raises(error, match=message):
        made(DeviceBatches, change(*random_images))


def test_a_batch_that_cannot_be_shared(random_images):
    with pytest.raises(ValueError, match="batch_size 7 cannot be shared equally by 2 processes"):
        made(DeviceBatches, random_images, size=2, batch_size=7)
    few = tuple(part[:1] for part in random_images)
    with pytest.raises(ValueError, match="1 images are too few for 2 processes"):
        made(DeviceBatches, few, size=2)


@pytest.mark.parametrize(("mean", "std"), [([0.5], [0.1, 0.2]), ([0.5], [0.0])])
def test_normalization_needs_deviations(mean, std):
    with pytest.raises(ValueError, match="one number per channel, and std numbers above 0"):
        Normalization(mean, std, torch.device("cpu"))
