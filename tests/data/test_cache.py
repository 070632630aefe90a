"""Tests of the cache: atomic writing, and checks of the files that are read."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from convlab.data import DataError, cache
from convlab.data.cache import cache_folder


def arrays(count=4, value=7):
    return {
        "train_images": np.full((count, 1, 2, 3), value, np.uint8),
        "train_labels": np.arange(count, dtype=np.uint8) % 3,
        "test_images": np.full((2, 1, 2, 3), value, np.uint8),
        "test_labels": np.array([2, 0], np.uint8),
    }


def read(path):
    return cache.read(path, "things", image_shape=(1, 2, 3), class_names=("a", "b", "c"))


def assert_same(dataset, expected):
    for key, array in expected.items():
        np.testing.assert_array_equal(getattr(dataset, key), array)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "things.npz"


def test_arrays_are_read_as_written_and_nothing_else_is_left(path):
    cache.write(path, arrays())
    assert_same(read(path), arrays())
    assert [file.name for file in path.parent.iterdir()] == ["things.npz"]


def test_the_permissions_of_the_file_follow_the_umask(path):
    if sys.platform == "win32":
        return  # no such rights there
    before = os.umask(0o022)
    try:
        cache.write(path, arrays())
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_files_of_numpy_are_read_compressed_or_not_with_any_integers_as_labels(path):
    for save in (np.savez, np.savez_compressed):
        for dtype in (np.uint8, np.int32, np.int64):
            stored = {k: v.astype(dtype) if "labels" in k else v for k, v in arrays().items()}
            save(path, **stored, remark=np.array([1]))
            assert_same(read(path), stored)


# --- damage ---------------------------------------------------------------------------------------


def test_a_file_truncated_anywhere_is_refused(path):
    cache.write(path, arrays())
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 17), *range(len(whole) - 25, len(whole))):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"things.npz is damaged .*: delete it, and"):
            read(path)


def test_a_changed_byte_is_detected_or_changes_nothing(path):
    cache.write(path, arrays())
    whole = path.read_bytes()
    messages = []
    for place in range(len(whole)):
        flip = (0x01, 0x80, 0xFF)[place % 3]
        path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
        try:
            found = read(path)
        except DataError as error:
            messages.append(str(error))
        else:  # a date, or another remark of the archive
            assert_same(found, arrays())
    assert len(messages) > len(whole) / 2
    assert all(str(path) in message for message in messages)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the end of a zip archive is missing"),
        (b"<html>404</html>", "the end of a zip archive is missing"),
        (b"\x93NUMPY" + bytes(100), "the end of a zip archive is missing"),
    ],
)
def test_another_kind_of_file_is_refused(path, content, reason):
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"damaged or not an .npz file .*{reason}"):
        read(path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"test_labels": None}, "test_labels missing"),
        ({"train_images": None, "test_labels": None}, "train_images and test_labels missing"),
        (
            {"train_images": np.zeros((4, 2, 3), np.uint8)},
            r"train_images must have the shape \(N, C, H, W\), got \(4, 2, 3\)",
        ),
        (
            {
                k: np.zeros((n, 3, 2, 3), np.uint8)
                for k, n in (("train_images", 4), ("test_images", 2))
            },
            r"images of shape \(3, 2, 3\) instead of \(1, 2, 3\)",
        ),
        ({"test_images": np.zeros((2, 1, 2, 3))}, "test_images must be .* uint8, got float64"),
        ({"train_labels": np.zeros(5, np.uint8)}, "holds 4 images, train_labels 5 labels"),
        ({"train_labels": np.zeros(4)}, "train_labels must be integers, got float64"),
        (
            {"test_images": np.zeros((0, 1, 2, 3), np.uint8), "test_labels": np.zeros(0, int)},
            "test_images is empty",
        ),
        ({"test_labels": np.array([0, 3])}, "test_labels holds 3, but there are 3 classes"),
        ({"test_labels": np.array([-1, 1])}, "test_labels holds -1"),
    ],
)
def test_another_data_set_is_refused(path, changes, reason):
    stored = {k: v for k, v in {**arrays(), **changes}.items() if v is not None}
    np.savez(path, **stored)
    with pytest.raises(
        DataError, match=rf"things.npz is not the data set things .*{reason}.*delete it"
    ):
        read(path)


def test_objects_are_not_unpickled(path):
    np.savez(path, **{**arrays(), "train_images": np.array([print], object)})
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        read(path)


def test_a_file_without_permission_is_not_called_damaged(path):
    path.mkdir()
    with pytest.raises(DataError, match=r"things.npz cannot be read .*: check its permissions"):
        read(path)


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(path, monkeypatch, error):
    cache.write(path, arrays(value=1))

    def fail(file, **_):
        file.write(b"half of it")
        raise error

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises((DataError, KeyboardInterrupt)) as caught:
        cache.write(path, arrays(value=2))
    if isinstance(error, OSError):
        assert f"{path} could not be written: No space left; free disk space" in str(caught.value)
    assert_same(read(path), arrays(value=1))
    assert [file.name for file in path.parent.iterdir()] == ["things.npz"]


def test_a_file_that_cannot_be_replaced_while_it_is_read_stays(path, monkeypatch):
    """As on Windows; another process has written the same file a moment ago."""
    cache.write(path, arrays())

    def refuse(*_):
        raise PermissionError(errno.EACCES, "Access is denied")

    monkeypatch.setattr(os, "replace", refuse)
    cache.write(path, arrays())
    assert [file.name for file in path.parent.iterdir()] == ["things.npz"]
    path.unlink()
    with pytest.raises(DataError, match=r"could not be written: Access is denied"):
        cache.write(path, arrays())


def test_leftovers_of_killed_processes_go_when_they_are_old(path):
    old, young = (path.with_name(f".things.npz.{name}.part") for name in ("old", "young"))
    for part in (old, young):
        part.write_bytes(b"half")
    an_hour_ago = time.time() - cache.ABANDONED - 10
    os.utime(old, (an_hour_ago, an_hour_ago))
    cache.write(path, arrays())
    assert not old.exists()
    assert young.exists()


WRITER = """
import sys, time, pathlib, numpy as np
sys.path.insert(0, sys.argv[3])
from convlab.data import cache
count, until = int(sys.argv[2]), time.time() + 1.5
while time.time() < until:
    cache.write(pathlib.Path(sys.argv[1]), {
        "train_images": np.full((count, 1, 2, 3), count % 256, np.uint8),
        "train_labels": np.zeros(count, np.uint8),
        "test_images": np.full((1, 1, 2, 3), count % 256, np.uint8),
        "test_labels": np.zeros(1, np.uint8)})
"""


@pytest.mark.slow
def test_readers_find_a_complete_file_while_several_processes_write(path):
    counts = (3, 50_000, 20_000)
    root = str(Path(cache.__file__).parents[2])
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(count), root])
        for count in counts
    ]
    readings = 0
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            found = read(path)
            count = len(found.train_images)
            assert count in counts
            assert (found.train_images == count % 256).all()
            readings += 1
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert readings > 10
    assert [file.name for file in path.parent.iterdir()] == ["things.npz"]


# --- the folder -----------------------------------------------------------------------------------


@pytest.fixture
def home(monkeypatch, tmp_path):
    for name in ("CONVLAB_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".cache/convlab"),
        ("freebsd14", ".cache/convlab"),
        ("darwin", "Library/Caches/convlab"),
        ("win32", "AppData/Local/convlab"),
    ],
)
def test_each_operating_system_has_its_cache_folder(home, monkeypatch, platform, expected):
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder() == home / expected


@pytest.mark.parametrize(
    ("platform", "variable"), [("linux", "XDG_CACHE_HOME"), ("win32", "LOCALAPPDATA")]
)
def test_the_variables_of_the_operating_system_are_used(home, monkeypatch, platform, variable):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(home / "elsewhere"))
    assert cache_folder() == home / "elsewhere" / "convlab"


def test_a_cache_home_that_is_not_absolute_is_ignored(home, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert cache_folder() == home / ".cache" / "convlab"


def test_the_variable_of_convlab_takes_precedence_and_an_empty_one_is_ignored(home, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "caches"))
    monkeypatch.setenv("CONVLAB_DATA", str(home / "mine"))
    assert cache_folder() == home / "mine"
    monkeypatch.setenv("CONVLAB_DATA", "")
    assert cache_folder() == home / "caches" / "convlab"


def test_a_tilde_is_the_home_folder(home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("CONVLAB_DATA", "~/images")
    assert cache_folder() == home / "images"


def test_a_folder_that_cannot_be_made_or_written_is_named_before_anything_is_downloaded(
    tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match=r"inside is not usable as a cache folder .*: set CONVLAB"):
        cache.make_writable(tmp_path / "file" / "inside")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(DataError, match=r"cache folder .no permission to write"):
        cache.make_writable(tmp_path)
