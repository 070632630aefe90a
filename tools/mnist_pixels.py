"""Count the pixel values of MNIST for the chapter "Training a network".

    python tools/mnist_pixels.py FOLDER [--out FILE]

FOLDER holds ``train-images-idx3-ubyte.gz`` and ``t10k-images-idx3-ubyte.gz`` (torchvision puts both
into ``MNIST/raw``). Unpacked, they must be the original files. The counts go to
``convlab/results/files/trained/mnist-pixels.json``, which is in the repository already; this
program documents its origin.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from pathlib import Path

import numpy as np

OUT = Path(__file__).parents[1] / "convlab" / "results" / "files" / "trained" / "mnist-pixels.json"
MD5 = {  # of the original files, unpacked; packed, they differ by date and program
    "train": "6bbc9ace898e44ae57da46a324031adb",
    "t10k": "2646ac647ad5339dbf082846283269ea",
}


def histogram(path: Path, md5: str) -> list[int]:
    """Count each of the 256 values in an IDX file of images: 16 bytes of header, then pixels.

    Raises ValueError if the unpacked file has another MD5 sum.
    """
    content = gzip.decompress(path.read_bytes())
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise ValueError(f"{path} is not the original file: its MD5 sum is {found}, not {md5}")
    pixels = np.frombuffer(content, np.uint8, offset=16)
    counts: list[int] = np.bincount(pixels, minlength=256).tolist()
    return counts


def main() -> None:
    """Count both files, and write the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    train, test = (
        histogram(arguments.folder / f"{name}-images-idx3-ubyte.gz", md5)
        for name, md5 in MD5.items()
    )
    text = json.dumps({"training": train, "test": test})
    arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
