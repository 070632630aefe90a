"""Tests of loading by name: from the package, the cache or a server, and of its errors."""

import gc
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import pytest
import torch
import torchvision.datasets

from convlab.data import DATASETS, DataError, load, loading
from tests.data.data_servers import (
    CIFAR_CLASSES,
    CLASSES,
    files_of,
    images_and_labels,
    point_torchvision_to,
    serving,
)

DOWNLOADED = list(CLASSES)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make an empty cache folder, and an empty folder for temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("CONVLAB_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def left_behind(folder):
    """Return the names of all files in these two folders."""
    return sorted(file.name for file in folder.parent.rglob("*") if file.is_file())


def assert_same(data, arrays):
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(data, key), array)


def refuse_connections(monkeypatch, name):
    """Point torchvision to a port that refuses connections."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    point_torchvision_to(address, name, files_of(name, images_and_labels(name)), monkeypatch)


# --- from a server --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOWNLOADED)
def test_the_first_call_downloads_and_the_second_needs_no_network(name, folder, monkeypatch):
    arrays = images_and_labels(name)
    files = files_of(name, arrays)
    with serving(files) as address:
        point_torchvision_to(address, name, files, monkeypatch)
        first = load(name)
    assert_same(first, arrays)
    assert left_behind(folder) == [f"{name}.npz"]
    refuse_connections(monkeypatch, name)
    second = load(name)
    assert_same(second, arrays)
    assert second.class_names == DATASETS[name].class_names
    assert second.image_shape == DATASETS[name].image_shape


def test_the_file_has_the_four_arrays_as_bytes(folder, monkeypatch):
    files = files_of("cifar10", images_and_labels("cifar10"))
    with serving(files) as address:
        point_torchvision_to(address, "cifar10", files, monkeypatch)
        load("cifar10")
    with np.load(folder / "cifar10.npz") as stored:
        assert {key: array.dtype for key, array in stored.items()} == dict.fromkeys(
            ("train_images", "train_labels", "test_images", "test_labels"), np.uint8
        )


def test_the_class_names_are_in_the_order_of_the_labels():
    fashion = [name.lower() for name in torchvision.datasets.FashionMNIST.classes]
    assert [name.lower() for name in DATASETS["fashion-mnist"].class_names] == fashion
    numbers = [name.split(" - ")[0] for name in torchvision.datasets.MNIST.classes]
    assert list(DATASETS["mnist"].class_names) == numbers == list(DATASETS["digits"].class_names)
    assert list(DATASETS["cifar10"].class_names) == CIFAR_CLASSES  # of the file batches.meta


# --- when it fails --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOWNLOADED)
def test_without_network_and_file_one_sentence_says_what_to_do(name, folder, monkeypatch):
    refuse_connections(monkeypatch, name)
    with pytest.raises(DataError) as caught:
        load(name)
    message = str(caught.value)
    assert message.startswith(
        f"{folder / name}.npz does not exist, and {name} cannot be downloaded"
    )
    assert "refused" in message
    assert f"call load('{name}') once with a network connection, copy that file" in message
    assert "\n" not in message
    assert left_behind(folder) == []


def send_half(content):
    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(content[: len(content) // 2])

    return answer


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", DOWNLOADED)
@pytest.mark.parametrize(
    "damage",
    [lambda _: None, send_half, lambda content: content[:-9] + b"something", lambda _: b"<html>"],
    ids=["missing", "cut off", "changed", "a web page"],
)
def test_wrong_contents_from_a_server_leave_nothing_behind(name, damage, folder, monkeypatch):
    files = files_of(name, images_and_labels(name))
    last = [key for key in files if key.endswith(".gz")][-1]
    with serving({**files, last: damage(files[last])}) as address:
        point_torchvision_to(address, name, files, monkeypatch)
        with pytest.raises(DataError, match=r"the download failed: .*(404|orrupted)"):
            load(name)
        assert left_behind(folder) == []
    if damage(b"") is None:
        gc.collect()  # urllib leaves the socket of a 404 to the garbage collector
    with serving(files) as address:
        point_torchvision_to(address, name, files, monkeypatch)
        assert len(load(name).train_labels) == 20


def test_a_silent_server_is_a_timeout(folder, monkeypatch):
    monkeypatch.setattr(loading, "TIMEOUT", 0.2)
    files = files_of("mnist", images_and_labels("mnist"))
    with serving({next(iter(files)): lambda _: time.sleep(1)}) as address:
        point_torchvision_to(address, "mnist", files, monkeypatch)
        with pytest.raises(DataError, match="timed out"):
            load("mnist")
    assert socket.getdefaulttimeout() is None


def test_an_interrupt_is_raised_and_leaves_nothing_behind(folder, monkeypatch):
    def interrupted(root, **_):
        with open(os.path.join(root, "half"), "wb") as file:
            file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torchvision.datasets, "MNIST", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load("mnist")
    assert left_behind(folder) == []


KILLED = """
import os, signal, sys, types
from convlab.data import load
def killed(root, **_):
    open(os.path.join(root, "half"), "wb").write(b"half")
    os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
sys.modules["torchvision.datasets"] = types.SimpleNamespace(MNIST=killed)
load("mnist")
"""


def test_a_process_that_is_killed_leaves_nothing_in_the_cache(folder, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
        check=False,
    )
    assert done.returncode != 0
    assert list(folder.iterdir()) == []


def test_one_of_several_processes_downloads_a_data_set(folder, monkeypatch):
    began, go_on, downloads = threading.Event(), threading.Event(), []

    def download(name):
        downloads.append(name)
        began.set()
        go_on.wait(30)
        return images_and_labels(name)

    monkeypatch.setattr(loading, "download", download)
    threads = [threading.Thread(target=load, args=("mnist",)) for _ in range(3)]
    threads[0].start()
    assert began.wait(30)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert downloads == ["mnist"]
    assert left_behind(folder) == ["mnist.npz"]


def test_without_torchvision_the_sentence_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    with pytest.raises(DataError, match=r"the download needs torchvision, .* pip install \"convl"):
        load("mnist")


def test_a_damaged_file_is_named_and_not_replaced(folder):
    folder.mkdir()
    (folder / "mnist.npz").write_bytes(b"mine, whatever it is")
    with pytest.raises(DataError, match=r"mnist.npz is damaged or not an .npz file .*: delete it"):
        load("mnist")
    assert (folder / "mnist.npz").read_bytes() == b"mine, whatever it is"


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("imagenet", ValueError, "no data set 'imagenet', only digits, mnist, fashion-mnist, cif"),
        ("MNIST", ValueError, "no data set 'MNIST'"),
        ("", ValueError, "no data set ''"),
        ("../digits", ValueError, "no data set"),
        (None, TypeError, "name must be a str, got NoneType"),
        (["digits"], TypeError, "name must be a str, got list"),
    ],
)
def test_the_message_for_an_unknown_name_lists_the_known_ones(name, error, message):
    with pytest.raises(error, match=message):
        load(name)


# --- from a file ----------------------------------------------------------------------------------


def test_a_file_from_elsewhere_is_read_from_any_folder(tmp_path):
    arrays = images_and_labels("cifar10", seed=1)
    np.savez(tmp_path / "cifar10.npz", **arrays)
    for folder in (tmp_path, str(tmp_path)):
        assert_same(load("cifar10", folder), arrays)


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_every_call_has_arrays_of_its_own(name, tmp_path):
    np.savez(tmp_path / "mnist.npz", **images_and_labels("mnist"))
    first, second = load(name, tmp_path), load(name, tmp_path)
    for key in ("train_images", "train_labels", "test_images", "test_labels"):
        ours, others = getattr(first, key), getattr(second, key)
        assert not np.shares_memory(ours, others)
        ours[:] = 0  # allowed, and nobody else's business
        assert others.any()
        torch.from_numpy(others)  # no warning: torch shares the memory


def test_loading_needs_numpy_alone():
    code = (
        "import sys; from convlab import data; data.load('digits');"
        "print([m for m in ('torch', 'torchvision', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
