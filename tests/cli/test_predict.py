"""Tests of `convlab predict`: pictures classified by the network of a finished training run."""

import json
import shutil
import subprocess
import sys

import pytest
import torch
from torch import nn

from convlab.cli import main
from convlab.data import load, load_folder, match_input
from convlab.models import MODELS
from convlab.training import TrainConfig, fit, predict
from tests.data.picture_files import COLORS, write_classes, write_picture

TRAIN = ["--epochs", "5", "--batch-size", "8", "--device", "cpu"]


def printed(capsys, *words):
    capsys.readouterr()
    assert main(["predict", *map(str, words)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def refused(capsys, *words, code):
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["predict", *map(str, words)])
    assert ended.value.code == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("convlab predict: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.fixture(scope="module")
def colors(tmp_path_factory):
    """Train on pictures of three colors; return the folder of pictures and that of the run."""
    folder = tmp_path_factory.mktemp("colors")
    write_classes(folder / "pictures", count=12)
    words = ["simple-cnn", "--data", folder / "pictures", "--out", folder / "run", *TRAIN]
    assert main(["train", *map(str, words)]) == 0
    return folder / "pictures", folder / "run"


@pytest.fixture
def run(colors, tmp_path):
    """Return a copy of the run, to be changed."""
    shutil.copytree(colors[1], tmp_path / "run")
    return tmp_path / "run"


def written(run, **changes):
    """Change entries of the result; None removes one."""
    path = run / "result.json"
    result = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: v for name, v in result.items() if v is not None}))
    return result


def test_new_pictures_are_classified(capsys, colors, tmp_path):
    paths = []
    for name in COLORS:
        write_classes(tmp_path / "new", count=2, classes=[name], seed=7)
        paths += sorted((tmp_path / "new" / name).iterdir())
    lines = printed(capsys, colors[1], *paths).splitlines()
    assert len(lines) == 6
    for line, path in zip(lines, paths, strict=True):
        start, answer = line.split(": ")
        assert start == str(path)
        names, numbers = zip(*(part.split()[:2] for part in answer.split(", ")), strict=True)
        assert names[0] == path.parent.name
        assert set(names) == set(COLORS)
        assert sum(map(float, numbers)) == pytest.approx(100, abs=0.02)
        assert sorted(map(float, numbers), reverse=True) == list(map(float, numbers))


def test_the_probabilities_are_those_of_the_images_of_the_training(capsys, colors):
    """The same function reads the pictures of both."""
    folder, run = colors
    data = load_folder(folder, 32, test_fraction=0)
    result = json.loads((run / "result.json").read_text())
    model = MODELS["simple-cnn"].build(num_classes=3)
    model.load_state_dict(torch.load(run / "model.pt", weights_only=True))
    mean, std = result["mean"], result["std"]
    expected = predict(model, data.train_images, mean=mean, std=std).double().softmax(1)
    paths = [path for name in data.class_names for path in sorted((folder / name).iterdir())]
    text = printed(capsys, run, *paths, "--json", "--device", "cpu")
    for entry, path, row in zip(json.loads(text), paths, expected.tolist(), strict=True):
        assert entry["picture"] == str(path)
        found = {part["name"]: part["probability"] for part in entry["classes"]}
        assert found == dict(zip(data.class_names, row, strict=True))


@pytest.mark.parametrize(("number", "count"), [(1, 1), (2, 2), (99, 3)])
def test_the_most_probable_classes_alone(capsys, colors, number, count):
    path = colors[0] / "red" / "0.png"
    assert printed(capsys, colors[1], path, "--top", number).count("%") == count
    found = json.loads(printed(capsys, colors[1], path, "--top", number, "--json"))
    assert [len(entry["classes"]) for entry in found] == [count]
    assert found[0]["classes"][0]["name"] == "red"


@pytest.mark.slow
@pytest.mark.parametrize("model", ["mnist-cnn", "simple-cnn"])
def test_digits_of_black_ink(capsys, tmp_path, model):
    """`simple-cnn` takes three channels, so the digits are repeated."""
    words = [model, "--data", "digits", "--epochs", 1, "--device", "cpu", "--out", tmp_path]
    assert main(["train", *map(str, words)]) == 0
    digits = load("digits")
    result = json.loads((tmp_path / "result.json").read_text())
    network = MODELS[model].build()
    network.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    images = match_input(digits, tuple(result["image_shape"])).test_images[:20]
    expected = predict(network, images, mean=result["mean"], std=result["std"]).argmax(1)
    for ink, options in ((0, ["--invert"]), (255, [])):
        paths = [
            write_picture(tmp_path / f"{number}.png", image[0] if ink else 255 - image[0])
            for number, image in enumerate(digits.test_images[:20])
        ]
        found = json.loads(printed(capsys, tmp_path, *paths, "--json", "--top", 1, *options))
        names = [digits.class_names[label] for label in expected]
        assert [entry["classes"][0]["name"] for entry in found] == names


def test_pictures_are_padded_as_the_images_of_the_training_were(capsys, tmp_path):
    folder = write_classes(tmp_path / "pictures", count=3)
    words = ["lenet5", "--data", folder, "--image-size", "20", "--out", tmp_path / "run", *TRAIN]
    assert main(["train", *map(str, words)]) == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["source_shape"], result["image_shape"]) == ([1, 20, 20], [1, 28, 28])
    data = match_input(load_folder(folder, 20, channels=1, test_fraction=0), (1, 28, 28))
    network = MODELS["lenet5"].build(num_classes=3)
    network.load_state_dict(torch.load(tmp_path / "run" / "model.pt", weights_only=True))
    outputs = predict(network, data.train_images[:1], mean=result["mean"], std=result["std"])
    text = printed(capsys, tmp_path / "run", folder / "blue" / "0.png", "--json", "--device", "cpu")
    found = {part["name"]: part["probability"] for part in json.loads(text)[0]["classes"]}
    row = outputs.double().softmax(1)[0].tolist()
    assert found == dict(zip(data.class_names, row, strict=True))


NETS = """
from torch import nn
def many(): return nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 5, 5))
def few(): return nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 5, 2))
"""


@pytest.fixture
def mynets(tmp_path, monkeypatch):
    """Write a module of networks to the current folder."""
    (tmp_path / "predictnets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("predictnets", None)


@pytest.mark.usefixtures("mynets")
def test_a_network_of_the_user_with_more_outputs_than_classes(capsys, tmp_path):
    folder = write_classes(tmp_path / "pictures", count=10)
    words = ["predictnets:many", "--data", "./pictures", "--image-size", "6x5", "--out", "run"]
    assert main(["train", *words, *TRAIN]) == 0
    found = json.loads(printed(capsys, "run", folder / "green" / "0.png", "--json", "--top", 9))[0][
        "classes"
    ]
    assert {part["name"] for part in found} == {*COLORS, "3", "4"}
    assert sum(part["probability"] for part in found) == pytest.approx(1)
    assert found[0]["name"] == "green"


@pytest.mark.usefixtures("mynets")
def test_a_run_of_fit_needs_the_name_of_the_network(capsys, tmp_path):
    folder = write_classes(tmp_path / "pictures", count=10)
    model = nn.Sequential(nn.Flatten(), nn.Linear(90, 5))
    config = TrainConfig(epochs=5, batch_size=8, device="cpu")
    fit(model, load_folder(folder, (6, 5)), config, out=tmp_path / "run")
    path = folder / "blue" / "0.png"
    assert "does not name the network, since fit() was" in refused(capsys, "run", path, code=2)
    assert ": blue " in printed(capsys, "run", path, "--model", "predictnets:many")
    error = refused(capsys, "run", path, "--model", "lenet5", code=1)
    assert "model.pt does not fit lenet5: " in error
    assert len(error) < 500


@pytest.mark.usefixtures("mynets")
def test_fewer_outputs_than_classes(capsys, tmp_path):
    folder = write_classes(tmp_path / "pictures", count=10, classes=["red", "blue"])
    config = TrainConfig(epochs=1, device="cpu")
    model = nn.Sequential(nn.Flatten(), nn.Linear(90, 2))
    fit(model, load_folder(folder, (6, 5)), config, out="run")
    written(tmp_path / "run", class_names=["blue", "red", "yellow"], model="predictnets:few")
    error = refused(capsys, "run", folder / "red" / "0.png", code=2)
    assert "returns (1, 2), which is not a number for each picture and each of 3 classes" in error


def test_a_wrong_argument(capsys, colors, tmp_path):
    picture = colors[0] / "red" / "0.png"
    assert "there is no folder" in refused(capsys, tmp_path / "no", picture, code=2)
    assert "is not the --out of a finished" in refused(capsys, tmp_path, picture, code=2)
    assert "--top must be at least 1, got 0" in refused(
        capsys, colors[1], picture, "--top", 0, code=2
    )
    error = refused(capsys, colors[1], picture, "--device", "abacus", code=2)
    assert "device 'abacus' cannot be used" in error
    error = refused(capsys, colors[1], picture, "--model", "nothing", code=2)
    assert "there is no model 'nothing'" in error
    (tmp_path / "a.png").write_text("no picture")
    error = refused(capsys, colors[1], picture, tmp_path / "a.png", code=1)
    assert f"{tmp_path / 'a.png'} cannot be read as a picture" in error


def test_an_unfinished_run(capsys, run):
    (run / "result.json").unlink()
    error = refused(capsys, run, "a.png", code=1)
    assert "is not finished: start its convlab train command again" in error


def test_a_damaged_run(capsys, run, colors):
    picture = colors[0] / "red" / "0.png"
    content = (run / "model.pt").read_bytes()
    damaged = bytearray(content)
    damaged[len(content) // 2] ^= 1
    for wrong, message in (
        (content[:1000], "model.pt is truncated"),
        (bytes(damaged), "model.pt is damaged"),
        (b"", "model.pt is truncated"),
    ):
        (run / "model.pt").write_bytes(wrong)
        assert message in refused(capsys, run, picture, code=1)
    (run / "model.pt").unlink()
    assert "No such file or directory" in refused(capsys, run, picture, code=1)
    (run / "result.json").write_text("{")
    assert "result.json is damaged" in refused(capsys, run, picture, code=1)


def test_weights_are_loaded_without_running_code(capsys, run, colors, tmp_path):
    class Harmful:
        def __reduce__(self):
            return exec, (f"open({str(tmp_path / 'harm')!r}, 'w')",)

    torch.save({"layer": Harmful()}, run / "model.pt")
    error = refused(capsys, run, colors[0] / "red" / "0.png", code=1)
    assert "could run foreign code" in error
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("name", ["mean", "class_names", "image_shape"])
def test_a_run_of_an_older_version(capsys, run, name):
    written(run, **{name: None})
    assert "was written by an older version" in refused(capsys, run, "a.png", code=1)


def test_a_run_on_images_that_are_not_pictures(capsys, run, colors):
    written(run, source_shape=[4, 32, 32])
    error = refused(capsys, run, colors[0] / "red" / "0.png", code=2)
    assert "pictures are read with 1 or 3 channels, but images have 4" in error


def test_outputs_that_are_not_finite(capsys, run, colors):
    weights = torch.load(run / "model.pt", weights_only=True)
    torch.save({name: value * float("nan") for name, value in weights.items()}, run / "model.pt")
    error = refused(capsys, run, colors[0] / "red" / "0.png", code=1)
    assert "the outputs of the network are not finite for" in error


def test_without_pytorch():
    code = (
        "import sys; sys.modules['torch'] = None; from convlab.cli import main\n"
        "main(['predict', 'run', 'a.png'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "convlab predict: error: convlab predict needs PyTorch, which is not installed: "
        'pip install "convlab-book[torch]"\n'
    )
