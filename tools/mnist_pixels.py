"""Count the pixel values of MNIST for the chapter "Training a network".

    python tools/mnist_pixels.py FOLDER [--out FILE]

FOLDER holds original files: ``t10k-images-idx3-ubyte.gz`` and, if you have it,
``train-images-idx3-ubyte.gz`` (torchvision puts both into ``MNIST/raw``). The counts go to
``book/trained/mnist-pixels.json``, which is in the repository already; this program documents its
origin. The file there was made without the training images. In their place it has the sums that
follow from their published mean and standard deviation, 33.318421449829934 and 78.56748998339798
(the second number is of the population, not of a sample), by `sums`.
"""

from __future__ import annotations

import argparse
import gzip
import json
from fractions import Fraction
from pathlib import Path

import numpy as np

OUT = Path(__file__).parents[1] / "book" / "trained" / "mnist-pixels.json"
PUBLISHED = 33.318421449829934, 78.56748998339798


def histogram(path: Path) -> list[int]:
    """Count each of the 256 values in an IDX file of images: 16 bytes of header, then pixels."""
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    counts: list[int] = np.bincount(pixels, minlength=256).tolist()
    return counts


def sums(mean: float, std: float, pixels: int) -> tuple[int, int]:
    """Return the sum and the sum of squares of whole numbers with this mean and deviation.

    Raises ValueError if the result is further than 0.001 from whole numbers.

    Examples
    --------
    >>> sums(2.0, 1.0, pixels=2)  # 1 and 3
    (4, 10)
    """
    exact = Fraction(mean) * pixels, (Fraction(mean) ** 2 + Fraction(std) ** 2) * pixels
    total, squares = (round(number) for number in exact)
    if max(abs(exact[0] - total), abs(exact[1] - squares)) > Fraction(1, 1000):
        raise ValueError(f"no {pixels} whole numbers have the mean {mean} and deviation {std}")
    return total, squares


def main() -> None:
    """Count, compare with what is published, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    pixels = 60_000 * 28 * 28
    total, squares = sums(*PUBLISHED, pixels)
    train: dict[str, object] = {"pixels": pixels, "sum": total, "sum_of_squares": squares}
    path = arguments.folder / "train-images-idx3-ubyte.gz"
    if path.exists():
        train["histogram"] = counts = histogram(path)
        counted = [sum(v**power * n for v, n in enumerate(counts)) for power in (0, 1, 2)]
        if counted != [pixels, total, squares]:
            raise SystemExit(f"{path} has {counted}, not {[pixels, total, squares]}")
    test = {"histogram": histogram(arguments.folder / "t10k-images-idx3-ubyte.gz")}
    text = json.dumps({"train": train, "test": test})
    arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
