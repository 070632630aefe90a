"""Check the stored weights of the network that the chapter on training looks into."""

import json
import runpy

import numpy as np
import torch

from convlab.results import FILES
from convlab.training import TrainConfig
from tests.book.book_files import ROOT

PATH = FILES / "trained" / "cifar10-small.npz"


def test_the_stored_weights_are_small_and_fit_the_network_of_the_tool():
    assert PATH.stat().st_size <= 200_000
    with np.load(PATH) as file:
        weights = {name: torch.tensor(file[name]) for name in file.files if name != "made"}
    floats = [weight for weight in weights.values() if weight.is_floating_point()]
    assert {weight.dtype for weight in floats} == {torch.float16}
    model = runpy.run_path(str(ROOT / "tools" / "train_kernels.py"))["network"]()
    model.load_state_dict(weights)
    with torch.no_grad():
        assert model.eval()(torch.zeros(1, 3, 32, 32)).isfinite().all()


def test_they_say_how_they_were_made():
    with np.load(PATH) as file:
        made = json.loads(file["made"].item())
    assert made["test_accuracy"] == made["test_correct"] / made["test_images"] > 0.7
    assert TrainConfig(**made["settings"]).schedule == "cosine"
    assert made["versions"].keys() == {"python", "numpy", "torch"}
