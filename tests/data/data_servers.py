"""A local server with small versions of the files that torchvision downloads."""

import contextlib
import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

import numpy as np
import torchvision.datasets

CIFAR_CLASSES = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
]  # fmt: skip
CLASSES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10"}


@contextlib.contextmanager
def serving(files):
    """Serve the contents in `files` by name; a callable value handles the request itself."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            content = files.get(self.path.lstrip("/"))
            if content is None:
                self.send_error(404)
            elif callable(content):
                content(self)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content)

        def log_message(self, *_):
            pass

    # Not HTTPServer, which asks for its own name and may wait for that where no network is.
    server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def images_and_labels(name, seed=0):
    """Make the expected arrays of a small data set in the format of `name`."""
    random = np.random.default_rng(seed)
    shape = (3, 32, 32) if name == "cifar10" else (1, 28, 28)
    made = {}
    for part, count in (("train", 20), ("test", 10)):
        made[f"{part}_images"] = random.integers(0, 256, (count, *shape), dtype=np.uint8)
        made[f"{part}_labels"] = random.permutation(np.arange(count, dtype=np.uint8) % 10)
    return made


def files_of(name, arrays):
    """Return names and contents of the files that hold `arrays`, in the original formats."""
    return cifar_files(arrays) if name == "cifar10" else mnist_files(arrays)


def mnist_files(arrays):
    files = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        head = struct.pack(">4i", 0x0803, len(images), 28, 28)
        files[f"{prefix}-images-idx3-ubyte.gz"] = gzip.compress(head + images.tobytes())
        head = struct.pack(">2i", 0x0801, len(labels))
        files[f"{prefix}-labels-idx1-ubyte.gz"] = gzip.compress(head + labels.tobytes())
    return files


def cifar_files(arrays):
    images, labels = arrays["train_images"], arrays["train_labels"]
    members = {"batches.meta": old_pickle({"label_names": CIFAR_CLASSES})}
    for batch in range(5):
        part = slice(4 * batch, 4 * batch + 4)
        members[f"data_batch_{batch + 1}"] = cifar_batch(images[part], labels[part])
    members["test_batch"] = cifar_batch(arrays["test_images"], arrays["test_labels"])
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return {"cifar-10-python.tar.gz": packed.getvalue()} | members


def cifar_batch(images, labels):
    return old_pickle({"data": images.reshape(len(images), -1), "labels": labels.tolist()})


def old_pickle(content):
    """Pickle as old versions of NumPy did: new ones warn of ``dtype('u1', 0, 1)``."""
    made = io.BytesIO()

    class Old(pickle.Pickler):
        def reducer_override(self, thing):
            if isinstance(thing, np.dtype):
                return (np.dtype, (thing.str[1:], 0, 1), thing.__reduce__()[2])
            return NotImplemented

    Old(made, protocol=2).dump(content)
    return made.getvalue()


def point_torchvision_to(address, name, files, monkeypatch):
    """Let torchvision download `name` from `address`, with the checksums of `files`."""
    kind = getattr(torchvision.datasets, CLASSES[name])
    sums = {key: hashlib.md5(content).hexdigest() for key, content in files.items()}
    monkeypatch.setenv("no_proxy", "*")
    if name != "cifar10":
        monkeypatch.setattr(kind, "mirrors", [address])
        monkeypatch.setattr(kind, "resources", list(sums.items()))
        return
    monkeypatch.setattr(kind, "url", address + "cifar-10-python.tar.gz")
    monkeypatch.setattr(kind, "tgz_md5", sums["cifar-10-python.tar.gz"])
    batches = [[f"data_batch_{i}", sums[f"data_batch_{i}"]] for i in range(1, 6)]
    monkeypatch.setattr(kind, "train_list", batches)
    monkeypatch.setattr(kind, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": sums["batches.meta"]})
