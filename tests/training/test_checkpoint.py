"""Tests of checkpoint files: atomic writing, and errors for damaged and foreign files."""

import os
import pickle
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from convlab._files import atomic_write
from convlab.training import CheckpointError
from convlab.training.checkpoint import (
    FORMAT,
    list_checkpoints,
    load_checkpoint,
    load_latest,
    save_checkpoint,
)


def test_contents_are_loaded_as_saved(tmp_path):
    contents = {"weights": torch.arange(5.0), "numbers": [1, 2.5, (True, None)], "nan": "x"}
    found = load_checkpoint(save_checkpoint(tmp_path, 7, contents))
    assert found["step"] == 7
    assert torch.equal(found["weights"], contents["weights"])
    assert found["numbers"] == [1, 2.5, (True, None)]


def test_the_file_is_an_ordinary_one_of_torch_save(tmp_path):
    path = save_checkpoint(tmp_path, 1, {"weights": torch.ones(2)})
    assert torch.load(path, weights_only=True)["step"] == 1


def test_the_oldest_checkpoints_are_removed(tmp_path):
    for step in (5, 100, 20):
        save_checkpoint(tmp_path, step, {}, keep=2)
    names = [path.name for path in list_checkpoints(tmp_path)]
    assert names == ["checkpoint-00000100.pt", "checkpoint-00000020.pt"]


def test_a_checkpoint_that_cannot_be_removed_is_no_reason_to_fail(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, 1, {}, keep=1)

    def refuse(*_, **__):
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", refuse)
        save_checkpoint(tmp_path, 2, {}, keep=1)
    assert len(list_checkpoints(tmp_path)) == 2
    save_checkpoint(tmp_path, 3, {}, keep=1)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["checkpoint-00000003.pt"]


def test_a_truncated_file_is_named_at_every_length(tmp_path):
    path = save_checkpoint(tmp_path, 1, {"weights": torch.randn(300)})
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=f"{path} is truncated or not a checkpoint"):
            load_checkpoint(path)


def test_a_changed_bit_in_the_weights_is_detected(tmp_path):
    weights = torch.randn(300)
    path = save_checkpoint(tmp_path, 1, {"weights": weights})
    whole = bytearray(path.read_bytes())
    whole[whole.index(weights.numpy().tobytes()) + 500] ^= 1
    path.write_bytes(whole)
    torch.load(path, weights_only=True)  # PyTorch itself does not notice
    with pytest.raises(CheckpointError, match=r"is damaged: the checksum of .* is wrong"):
        load_checkpoint(path)


@given(st.integers(0, 10**9), st.integers(0, 7))
@example(16360, 0)  # the place of a member becomes negative
def test_a_changed_bit_anywhere_is_harmless_or_detected(position, bit):
    """Also in the headers of the archive, which say how a member is compressed or encrypted."""
    weights = torch.arange(4.0)
    with tempfile.TemporaryDirectory() as folder:
        path = save_checkpoint(Path(folder), 1, {"weights": weights})
        changed = bytearray(path.read_bytes())
        changed[position % len(changed)] ^= 1 << bit
        path.write_bytes(changed)
        with suppress(CheckpointError):
            assert torch.equal(load_checkpoint(path)["weights"], weights)


@pytest.mark.parametrize("flag", [b"\x01", b"\x08"])
def test_a_member_that_says_it_is_encrypted_or_compressed(flag, tmp_path):
    path = save_checkpoint(tmp_path, 1, {})
    changed = path.read_bytes()
    entry = changed.index(b"PK\x01\x02")  # the first of the directory
    place = entry + (8 if flag == b"\x01" else 10)
    path.write_bytes(changed[:place] + flag + changed[place + 1 :])
    with pytest.raises(CheckpointError, match="is truncated or not a checkpoint"):
        load_checkpoint(path)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("was-run",)


@pytest.mark.parametrize(
    "foreign",
    [{"weights": 1}, [1, 2], {"format": "convlab.training checkpoint 1"}, torch.ones(2), Evil()],
)
def test_a_foreign_file_is_named_and_never_executed(tmp_path, foreign, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoint-00000001.pt"
    torch.save(foreign, path)
    with pytest.raises(CheckpointError, match=f"{path} is not a checkpoint"):
        load_checkpoint(path)
    assert not (tmp_path / "was-run").exists()


def test_other_kinds_of_files(tmp_path):
    path = tmp_path / "checkpoint-00000001.pt"
    for write in (
        lambda: path.write_text("hello"),
        lambda: path.write_bytes(pickle.dumps({"format": FORMAT})),
        lambda: atomic_write(path, lambda file: np.savez(file, weights=np.ones(2))),
    ):
        write()
        with pytest.raises(CheckpointError, match="not a checkpoint"):
            load_checkpoint(path)


def test_the_checkpoint_before_a_truncated_one_is_used(tmp_path):
    save_checkpoint(tmp_path, 1, {"good": True})
    save_checkpoint(tmp_path, 2, {"good": False}).write_bytes(b"half")
    contents, problems = load_latest(tmp_path)
    assert contents["good"]
    assert len(problems) == 1
    assert "checkpoint-00000002.pt is truncated" in problems[0]


def test_if_none_can_be_read_nothing_is_overwritten(tmp_path):
    save_checkpoint(tmp_path, 1, {}).write_bytes(b"half")
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* can be used, so there is noth"):
        load_latest(tmp_path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    atomic_write(path, lambda file: file.write(b"old"))

    def fail(file):
        file.write(b"ne")
        raise OSError("disk full")

    with pytest.raises(OSError, match="a could not be written: disk full"):
        atomic_write(path, fail)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError("no")])
def test_an_interrupted_write_leaves_no_partial_file(tmp_path, error):
    def fail(file):
        file.write(b"ne")
        raise error

    with pytest.raises(error if isinstance(error, type) else ValueError):
        atomic_write(tmp_path / "a", fail)
    assert list(tmp_path.iterdir()) == []


def test_the_error_of_a_full_disk_is_reported_not_that_of_pytorch(tmp_path):
    """A disk that takes a thousand bytes."""

    def write(file):
        plain = file.write

        def little(data):
            if file.tell() > 1000:
                raise OSError(28, "No space left on device")
            return plain(data)

        class Small:
            write = staticmethod(little)
            flush = staticmethod(file.flush)

        torch.save({"weights": torch.ones(10_000)}, Small())

    with pytest.raises(OSError, match="a could not be written: No space left on device"):
        atomic_write(tmp_path / "a", write)
    assert list(tmp_path.iterdir()) == []


def test_the_message_does_not_suggest_executing_a_foreign_file(tmp_path):
    path = tmp_path / "checkpoint-00000001.pt"
    torch.save(os.mkdir, path)
    with pytest.raises(CheckpointError, match="numbers and strings, and is not loaded") as raised:
        load_checkpoint(path)
    assert "weights_only" not in str(raised.value)
