"""A folder has one holder at a time, and none when the holder has ended."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from convlab.data import cache, loading
from convlab.data.locking import FolderLock

HOLD = """
import sys, time
from pathlib import Path
from convlab.data.locking import FolderLock
print(FolderLock(Path(sys.argv[1])).take(), flush=True)
time.sleep(60)
"""


FORK = """
import os, signal, sys, time
from pathlib import Path
from convlab.data.locking import FolderLock
FolderLock(Path(sys.argv[1])).take()
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


def test_a_process_that_is_killed_gives_it_back(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "True\n"
    lock = FolderLock(tmp_path)
    assert not lock.take()
    process.kill()
    process.communicate()
    assert lock.take()
    lock.give_back()


def test_a_child_that_was_forked_does_not_keep_it(tmp_path):
    """As the workers of a loader would, for seconds after their parent was killed."""
    done = subprocess.run(
        [sys.executable, "-c", FORK, tmp_path], stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    child = int(done.stdout)
    os.kill(child, 0)  # it lives
    lock = FolderLock(tmp_path)
    try:
        assert lock.take()
    finally:
        os.kill(child, signal.SIGKILL)
        lock.give_back()


def test_it_leaves_nothing_and_can_be_given_back_twice(tmp_path):
    with FolderLock(tmp_path) as lock:
        lock.give_back()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_must_be_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        FolderLock(tmp_path / "none").take()


def test_of_several_that_want_a_data_set_one_downloads_it(tmp_path, monkeypatch):
    began, go_on, downloads = threading.Event(), threading.Event(), []

    def download(name):
        downloads.append(name)
        began.set()
        go_on.wait(30)
        return {}

    monkeypatch.setattr(loading, "download", download)
    monkeypatch.setattr(cache, "write", lambda path, arrays: path.write_text("whole"))
    path = tmp_path / "mnist.npz"
    several = [threading.Thread(target=loading._fetch, args=("mnist", path)) for _ in range(3)]
    several[0].start()
    assert began.wait(30)
    for one in several[1:]:
        one.start()
    go_on.set()
    for one in several:
        one.join()
    assert downloads == ["mnist"]
