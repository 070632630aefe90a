"""Tests of `convlab train`: settings, messages and exit codes."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from convlab import data
from convlab.cli import main, train
from convlab.data import Dataset
from convlab.training import TrainConfig
from tests.data.picture_files import write_classes, write_picture


@pytest.fixture(autouse=True)
def few_digits(monkeypatch):
    """Replace the digits by a tenth of them, so that a training is short."""
    plain = data.load

    def load(name):
        whole = plain(name)
        return Dataset(
            name, whole.train_images[:128], whole.train_labels[:128],
            whole.test_images[:40], whole.test_labels[:40], whole.class_names,
        )  # fmt: skip

    monkeypatch.setattr(data, "load", load)


def said(capsys, *words):
    assert main(["train", *map(str, words)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def refused(capsys, *words, code=2):
    with pytest.raises(SystemExit) as ended:
        main(["train", *map(str, words)])
    assert ended.value.code == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_a_training_from_start_to_end(capsys, tmp_path):
    out = tmp_path / "runs" / "a"
    words = ["lenet5", "--data", "digits", "--epochs", 2, "--out", out, "--device", "cpu"]
    lines = said(capsys, *words).splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["epoch 1", "epoch 2", "test images"]
    assert lines[-1] == f"the weights are in {out / 'model.pt'}"
    weights = torch.load(out / "model.pt", weights_only=True)
    again = said(capsys, *words).splitlines()  # it is finished: only the result is said again
    assert again == lines[2:]
    after = torch.load(out / "model.pt", weights_only=True)
    assert all(torch.equal(weights[name], after[name]) for name in weights)


def test_every_setting_is_an_option(capsys, tmp_path):
    settings = {
        "epochs": 1, "batch_size": 32, "accumulation_steps": 4, "validation_fraction": 0.25,
        "patience": 2, "restore_best_weights": True, "seed": 3, "optimizer": "adamw",
        "learning_rate": 0.01, "schedule": "cosine", "warmup_fraction": 0.1, "momentum": 0.8,
        "weight_decay": 0.01, "label_smoothing": 0.1, "max_grad_norm": 2.0, "flip": True, "crop": 1,
        "cutout": 3, "device": "cpu", "precision": "bf16", "tf32": False, "channels_last": True,
        "compile": False, "deterministic": True, "batches": "loader",
        "loader_workers": 1,
    }  # fmt: skip
    assert set(settings) == set(TrainConfig().to_dict())
    words = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", value]
    text = said(capsys, "lenet5", "--data", "digits", "--out", tmp_path, *words)
    assert "validation images: " in text
    assert "ended after epoch 1 of 1, with the weights of epoch 1\n" in text
    assert json.loads((tmp_path / "result.json").read_text())["config"] == settings


@pytest.mark.parametrize("model", ["simple-cnn", "mnist-cnn"])
def test_images_are_converted_to_the_input_shape(capsys, model):
    text = said(capsys, model, "--data", "digits", "--epochs", 1, "--device", "cpu")
    assert "of 40 right" in text


def test_a_network_of_the_user(capsys, tmp_path, monkeypatch):
    (tmp_path / "mynets.py").write_text(
        "from torch import nn\n"
        "def build(): return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = said(capsys, "mynets:build", "--data", "digits", "--epochs", 1, "--device", "cpu")
    assert "test images: " in text


@pytest.mark.parametrize(
    ("model", "size", "shape", "folders"),
    [
        ("simple-cnn", [], "12 training, 0 validation and 3 test images of 3 x 32 x 32", ["."]),
        ("lenet5", [], "12 training, 0 validation and 3 test images of 1 x 28 x 28", ["."]),
        ("resnet18", ["40x48"], "15 training, 15 validation and 15 test images of 3 x 40 x 48",
         ["train", "val", "test"]),
        ("torchvision.models:squeezenet1_1", [], "15 training, 15 validation and 0 test images of "
         "3 x 224 x 224", ["train", "val"]),
    ],
)  # fmt: skip
def test_a_folder_of_pictures(capsys, tmp_path, model, size, shape, folders):
    for folder in folders:
        write_classes(tmp_path / folder)
    words = [model, "--data", tmp_path, "--epochs", 1, "--batch-size", 4, "--device", "cpu"]
    words += ["--learning-rate", 0.001, *(["--image-size", *size] if size else [])]
    lines = said(capsys, *words).splitlines()
    held_out = "; a fifth of each class is held out as test images" if folders == ["."] else ""
    assert lines[0] == f"{tmp_path}: {shape}, 3 classes: blue, green, red{held_out}"
    assert lines[1].startswith("epoch 1: ")
    parts = [line.split(" images: ")[0] for line in lines[2:]]
    assert parts == [part for part in ("validation", "test") if f" 0 {part}" not in shape]


def test_a_name_is_a_data_set_and_a_path_is_a_folder(capsys, tmp_path, monkeypatch):
    write_classes(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    words = ["lenet5", "--epochs", 1, "--device", "cpu", "--data"]
    assert "of 40 right" in said(capsys, *words, "digits")
    assert "of 3 right" in said(capsys, *words, "./digits")
    error = refused(capsys, *words, "digits", "--image-size", 20)
    assert "--image-size is for a folder of pictures: digits has its own size" in error


def test_gray_pictures_and_a_network_of_the_user_that_takes_colors(capsys, tmp_path):
    for name in ("a", "b"):
        for number in range(5):
            write_picture(tmp_path / name / f"{number}.png", np.full((9, 9), 20 * number))
    words = ["torchvision.models:squeezenet1_1", "--data", tmp_path, "--image-size", 32,
             "--epochs", 1, "--device", "cpu"]  # fmt: skip
    assert "8 training, 0 validation and 2 test images of 3 x 32 x 32" in said(capsys, *words)


def test_pictures_larger_than_the_network_takes(capsys, tmp_path):
    write_classes(tmp_path)
    error = refused(capsys, "lenet5", "--data", tmp_path, "--image-size", 40)
    assert "has images of 40 x 40 pixels, larger than the 28 x 28 that the network takes" in error


@pytest.mark.parametrize(("content", "message"), [
    (None, "it has only the folder green"), (b"no picture", "0.png cannot be read as a picture"),
])  # fmt: skip
def test_a_folder_that_cannot_be_used_is_one_line(capsys, tmp_path, content, message):
    write_classes(tmp_path, classes=["green"])
    if content is not None:
        (tmp_path / "red").mkdir()
        (tmp_path / "red" / "0.png").write_bytes(content)
    assert message in refused(capsys, "lenet5", "--data", tmp_path, code=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lenet"], "the following arguments are required: --data"),
        (["lenet", "--data", "digits"], "there is no model 'lenet': choose from"),
        (["lenet5", "--data", "letters"], "there is no data set 'letters', only digits"),
        (["lenet5", "--data", "./letters"], "cifar10, and no folder of that name"),
        (["lenet5", "--data", "letters", "--image-size", "a"], "expected whole numbers"),
        (["lenet5", "--data", "digits", "--epochs", "0"], "epochs must be at least 1, got 0"),
        (["lenet5", "--data", "digits", "--epochs", "few"], "invalid int value: 'few'"),
        (["lenet5", "--data", "digits", "--optimizer", "lion"], "invalid choice: 'lion'"),
        (["lenet5", "--data", "digits", "--device", "abacus"], "device 'abacus' cannot be used"),
        (["lenet5", "--data", "digits", "--keep", "0"], "keep must be at least 1, got 0"),
        (["lenet5", "--data", "digits", "--momentum", "1"], "momentum must be at least 0 and"),
        (["os:getcwd", "--data", "digits"], "os:getcwd() must return a torch.nn.Module, got str"),
        (["os:nothing", "--data", "digits"], "cannot import os:nothing"),
        (["lenet5", "--data", ""], "there is no data set '', only digits"),
        (["lenet5", "--data", "digits", "--out", ""], "out must be the path of a folder, got an e"),
        (["lenet5", "--data", "digits", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["lenet5", "--data", "digits", "--learning-rate", "nan"], "learning_rate must be finite"),
        (["lenet5", "--data", "digits", "--checkpoint-every", "0"], "checkpoint_every must be at"),
        (["lenet5", "--data", "digits", "--device", "meta"], "device 'meta' cannot be used"),
        (["lenet5", "--data", "digits", "--crop", "28"], "crop must be below the images' 28 x 28"),
        (["lenet5", "--data", "digits", "--validation-fraction", "0.0001"], "moves no image to"),
    ],
)
def test_a_wrong_argument_is_one_line(capsys, words, message):
    assert message in refused(capsys, *words)


NETS = """
from torch import nn
class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.layer = nn.Linear(784, classes)
    def forward(self, x):
        return self.layer(x.flatten(1))
def five(): return Net(5)
class Pair(Net):
    def forward(self, x): return super().forward(x), 1
class Key(Net):
    def forward(self, x): return {}["a"]
class Attribute(Net):
    def forward(self, x): return self.nothing(x)
class Lines(Net):
    def forward(self, x): raise RuntimeError("one\ntwo")
def unwilling(): raise KeyError("x")
"""


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("five", 2, "the model has 5 outputs for each image, but the labels go up to 9"),
        ("Pair", 2, "the model must return one Tensor, got tuple"),
        ("unwilling", 2, "wrongnets:unwilling() raised KeyError: 'x'"),
        ("Lines", 1, "error: one two\n"),
        ("Key", 1, "KeyError: 'a' ("),
        ("Attribute", 1, "AttributeError: 'Attribute' object has no attribute 'nothing' ("),
    ],
)
def test_errors_of_a_network_of_the_user(capsys, tmp_path, monkeypatch, name, code, message):
    path = tmp_path / "wrongnets.py"
    path.write_text(NETS.replace("\ntwo", "\\ntwo"))
    monkeypatch.delitem(sys.modules, "wrongnets", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    words = [f"wrongnets:{name}", "--data", "digits", "--epochs", 1, "--device", "cpu"]
    error = refused(capsys, *words, code=code)
    assert message in error
    if message.endswith(" ("):  # an unexpected error says where it was raised
        assert f"{path}, line " in error


def test_a_full_disk_is_one_line(capsys, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    words = ["lenet5", "--data", "digits", "--epochs", 1, "--device", "cpu", "--out", tmp_path]
    assert "could not be written: No space left on device" in refused(capsys, *words, code=1)


def test_no_compiler_is_one_line(capsys, monkeypatch):
    from torch._inductor.exc import InvalidCxxCompiler

    def compiled(model):
        raise InvalidCxxCompiler

    monkeypatch.setattr(torch, "compile", compiled)
    words = ["lenet5", "--data", "digits", "--epochs", 1, "--device", "cpu", "--compile"]
    error = refused(capsys, *words, code=1)
    assert "--compile does not work here: No working C++ compiler found" in error


@pytest.mark.parametrize(("module", "name"), [(data, "load"), (train, "run")])
def test_ctrl_c_before_the_training(capsys, monkeypatch, module, name):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, interrupted)
    error = refused(capsys, "lenet5", "--data", "digits", code=130)
    assert error.startswith("convlab train: interrupted")


def test_only_process_0_prints_common_messages(capsys, monkeypatch, tmp_path):
    (tmp_path / "checkpoint-00000001.pt").write_text("damaged")
    for name, value in {
        "RANK": "1", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)

    def silent(*words):
        with pytest.raises(SystemExit) as ended:
            main(["train", *words])
        assert ended.value.code == 2
        return capsys.readouterr().err

    assert silent("lenet5", "--data", "letters") == ""
    assert silent("lenet5", "--data", "digits", "--epochs", "few") == ""
    # What one alone may know is said with its number.
    error = silent("lenet5", "--data", "digits", "--device", "abacus")
    assert error.startswith("convlab train, process 1: error: device 'abacus' cannot be used")


def test_a_folder_with_another_training(capsys, tmp_path):
    words = ["lenet5", "--data", "digits", "--out", tmp_path, "--device", "cpu", "--epochs"]
    said(capsys, *words, 1)
    assert "epochs is 1 there and 2 here" in refused(capsys, *words, 2)


def test_a_folder_that_cannot_be_made(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    words = ["lenet5", "--data", "digits", "--epochs", 1, "--device", "cpu"]
    assert "file" in refused(capsys, *words, "--out", tmp_path / "file" / "a", code=1)


def test_a_nonfinite_loss_is_one_line(capsys):
    error = refused(
        capsys, "lenet5", "--data", "digits", "--epochs", 1, "--learning-rate", 1e30,
        "--warmup-fraction", 0, "--device", "cpu", code=1,
    )  # fmt: skip
    assert "the loss is not finite in step" in error


def test_a_damaged_checkpoint_is_one_line(capsys, tmp_path):
    words = ["lenet5", "--data", "digits", "--out", tmp_path, "--device", "cpu", "--epochs", 2]
    said(capsys, *map(str, words))
    newest = max(tmp_path.glob("checkpoint-*.pt"))
    newest.write_bytes(newest.read_bytes()[:1000])
    assert main(["train", *map(str, words)]) == 0
    error = capsys.readouterr().err
    assert error.startswith(f"convlab train: {newest} is truncated")
    assert error.count("\n") == 1


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("with_folder", [True, False])
def test_ctrl_c_says_how_to_continue(capsys, tmp_path, with_folder):
    words = ["lenet5", "--data", "digits", "--device", "cpu"]
    words += ["--out", tmp_path] if with_folder else []
    hook = register_optimizer_step_post_hook(lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        error = refused(capsys, *words, code=130)
    finally:
        hook.remove()
    if with_folder:
        assert "stopped after step 1 of 80; the state is saved in" in error
        assert "start the same command again to continue" in error
    else:
        assert error == "convlab train: interrupted; nothing is saved\n"


def test_a_closed_pipe_does_not_end_the_training(tmp_path, monkeypatch):
    """As in ``convlab train ... | head -0``."""
    words = ["lenet5", "--data", "digits", "--epochs", "2", "--device", "cpu"]
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    with open(writing_end, "w", encoding="utf-8") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert main(["train", *words, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "history.jsonl").read_text().count("\n") == 2
    assert (tmp_path / "model.pt").exists()


def in_this_process(monkeypatch, out, *words):
    """Train on all digits, as the commands in the processes below do."""
    monkeypatch.undo()
    assert main(["train", *map(str, words), "--out", str(out)]) == 0
    return torch.load(out / "model.pt", weights_only=True)


def environment():
    """Return environment variables for the same number of threads, so that sums are equal."""
    return {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}


def begun(command, folder):
    """Start a process, and wait for its first checkpoint."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
    )
    while process.poll() is None and not list(folder.glob("checkpoint-*.pt")):
        time.sleep(0.01)
    return process


@pytest.mark.slow
def test_in_a_terminal_of_its_own_killed_and_continued(tmp_path, monkeypatch):
    """The command as typed; the tenth of the digits is not used here."""
    words = ["lenet5", "--data", "digits", "--epochs", "3", "--device", "cpu",
             "--checkpoint-every", "5"]  # fmt: skip
    command = [sys.executable, "-m", "convlab", "train", *words, "--out", tmp_path / "killed"]
    process = begun(command, tmp_path / "killed")
    process.kill()
    process.communicate()
    subprocess.run(command, check=True, capture_output=True, env=environment())
    one = in_this_process(monkeypatch, tmp_path / "whole", *words)
    other = torch.load(tmp_path / "killed" / "model.pt", weights_only=True)
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_two_processes_print_each_message_once(tmp_path):
    """Interrupted, and continued to the end."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node",
               "2", "-m", "convlab", "train", "lenet5", "--data", "digits", "--epochs", "10",
               "--batch-size", "64",
               "--device", "cpu", "--out", tmp_path]  # fmt: skip
    process = begun(command, tmp_path)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=120)[1]
    assert process.returncode != 0
    assert error.count("convlab train: stopped after step ") == 1
    assert error.count("start the same command again to continue") == 1
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr
    assert "find_unused_parameters" not in done.stderr  # a warning of PyTorch in every process
    assert "epoch 1: " not in done.stdout
    assert done.stdout.count("epoch 10: ") == 1
    assert done.stdout.count("of 355 right") == 1
    assert np.isfinite(json.loads((tmp_path / "result.json").read_text())["test"]["loss"])


@pytest.mark.slow
def test_two_processes_train_on_a_folder(tmp_path):
    write_classes(tmp_path / "pictures")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node",
               "2", "-m", "convlab", "train", "simple-cnn", "--data", tmp_path / "pictures",
               "--epochs", "5", "--batch-size", "4", "--device", "cpu", "--out", tmp_path / "run",
               "--learning-rate", "0.1"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("12 training, 0 validation and 3 test images of 3 x 32 x 32") == 1
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["model"] == "simple-cnn"
    assert result["class_names"] == ["blue", "green", "red"]


def test_sigterm_has_its_own_exit_code(capsys, tmp_path):
    words = ["lenet5", "--data", "digits", "--device", "cpu", "--out", tmp_path]
    hook = register_optimizer_step_post_hook(lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        error = refused(capsys, *words, code=128 + signal.SIGTERM)
    finally:
        hook.remove()
    assert "stopped after step 1 of 80; the state is saved in" in error
