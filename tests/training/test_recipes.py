"""Which settings a data set and a network get, and that the networks become good with them."""

import pytest

from convlab.data import load, match_input
from convlab.models import MODELS
from convlab.training import TrainConfig, fit, recipe, recipes, seed_everything


def test_for_what_is_unknown_the_settings_are_the_general_ones():
    assert recipe("my own images") == recipe("my own images", "my.network:build") == TrainConfig()


def test_what_is_said_counts_more_than_what_suits():
    assert recipe("digits", "simple-cnn", crop=0, batch_size=7).crop == 0
    assert recipe("digits", "simple-cnn", crop=0, batch_size=7).batch_size == 7


def test_a_network_and_a_data_set_add_up():
    config = recipe("cifar10", "simple-cnn")
    assert config.flip
    assert config.learning_rate > TrainConfig().learning_rate


def test_every_recipe_belongs_to_something_that_exists():
    assert set(recipes._BY_MODEL) | {model for model, _ in recipes._BY_BOTH} <= set(MODELS)
    for data in ("digits", "mnist", "fashion-mnist", "cifar10"):
        for model in MODELS:
            assert recipe(data, model).epochs == TrainConfig().epochs


def test_nothing_that_people_read_is_mirrored():
    assert not recipe("digits", "simple-cnn").flip
    assert not recipe("mnist").flip


@pytest.mark.slow
@pytest.mark.parametrize("name", ["simple-cnn", "mnist-cnn", "lenet5"])
def test_with_its_recipe_a_network_learns_the_digits(name):
    data, channels = load("digits"), MODELS[name].input_shape[0]
    seed_everything(0)
    model = MODELS[name].build()
    images = match_input(data, (channels, *data.image_shape[1:]))
    found = fit(model, images, recipe("digits", name, epochs=3, device="cpu"))
    # Guessing gets a tenth. How good they become in the end is measured by benchmarks.accuracy.
    assert found.test.accuracy > 0.95
