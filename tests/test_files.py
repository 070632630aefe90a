"""Files are complete or absent; a folder has one holder at a time, and none after its end."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from convlab._files import FolderLock, atomic_write, remove_unfinished

HOLD = """
import sys, time
from pathlib import Path
from convlab._files import FolderLock
print(FolderLock(Path(sys.argv[1])).acquire(), flush=True)
time.sleep(60)
"""


FORK = """
import os, signal, sys, time
from pathlib import Path
from convlab._files import FolderLock
FolderLock(Path(sys.argv[1])).acquire()
read, write = os.pipe()
child = os.fork()
if not child:
    os.close(1)
    os.write(write, b"!")
    time.sleep(60)
os.read(read, 1)
print(child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "True\n"
    lock = FolderLock(tmp_path)
    assert not lock.acquire()
    process.kill()
    process.communicate()
    assert lock.acquire()
    lock.release()


def test_a_child_that_was_forked_does_not_keep_it(tmp_path):
    """As the workers of a loader would, for seconds after their parent was killed."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, tmp_path], stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    child = int(done.stdout)
    os.kill(child, 0)  # it is alive
    lock = FolderLock(tmp_path)
    try:
        assert lock.acquire()
    finally:
        os.kill(child, signal.SIGKILL)
        lock.release()


def test_it_leaves_nothing_and_can_be_released_twice(tmp_path):
    with FolderLock(tmp_path) as lock:
        lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_must_be_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        FolderLock(tmp_path / "none").acquire()


def test_a_folder_without_write_permission_can_be_locked(tmp_path):
    tmp_path.chmod(0o500)
    with FolderLock(tmp_path):
        assert not FolderLock(tmp_path).acquire()
    tmp_path.chmod(0o700)


def test_where_the_file_system_has_no_locks_everyone_gets_one(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    with FolderLock(tmp_path):
        assert FolderLock(tmp_path).acquire()


def test_a_file_that_cannot_be_written_keeps_its_content(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EIO])
def test_a_file_system_without_fsync(tmp_path, monkeypatch, number):
    """It writes the file without that safety; a failure of the disk is an error."""

    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    path = tmp_path / "a"
    if number == errno.EIO:
        with pytest.raises(OSError, match="a could not be written: Input/output error"):
            atomic_write(path, lambda file: file.write(b"all of it"))
        assert not list(tmp_path.iterdir())
    else:
        atomic_write(path, lambda file: file.write(b"all of it"))
        assert path.read_bytes() == b"all of it"


def test_an_exception_that_follows_an_os_error_names_the_file(tmp_path):
    def fail(_):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        finally:
            raise RuntimeError("unexpected position")  # as torch.save does on a full disk

    with pytest.raises(OSError, match="a could not be written: No space left on device"):
        atomic_write(tmp_path / "a", fail)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    unfinished = tmp_path / f".a.{'0' * 32}.part"
    others = [tmp_path / name for name in ("a", ".a.part", "b.part")]
    for path in (unfinished, *others):
        path.touch()
    remove_unfinished(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(others)
