"""Tests of seeds, and of random states stored in a file."""

import io
import random

import numpy as np
import torch

from convlab.training.randomness import (
    derived_seed,
    random_state,
    seed_everything,
    set_random_state,
)


def draw():
    gauss = random.gauss(0, 1), np.random.standard_normal(3).tolist()  # noqa: NPY002
    numbers = [random.random(), np.random.rand(), torch.rand(3).tolist()]  # noqa: NPY002
    if torch.cuda.is_available():
        numbers.append(torch.rand(3, device="cuda").tolist())
    return gauss, numbers


def test_all_generators_start_again_from_a_seed():
    seed_everything(5)
    first = draw()
    seed_everything(5)
    assert draw() == first
    seed_everything(6)
    assert draw() != first


def test_a_state_comes_back_from_a_file_loaded_with_weights_only():
    seed_everything(1)
    draw()  # half a pair of normal numbers is left over in Python's and NumPy's generators
    file = io.BytesIO()
    torch.save(random_state(), file)
    first = draw()
    file.seek(0)
    set_random_state(torch.load(file, weights_only=True))
    assert draw() == first


def test_each_purpose_index_and_seed_has_its_own_stream():
    arguments = [(seed, purpose, n) for seed in range(5) for purpose in "ab" for n in range(5)]
    seeds = [derived_seed(*one) for one in arguments]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
