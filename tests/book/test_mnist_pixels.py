"""Check the stored counts from which the chapter on training computes 0.1307 and 0.3081."""

import gzip
import hashlib
import json
import math
import runpy

import pytest

from convlab.results import FILES
from tests.book.book_files import ROOT
from tests.book.claims import read_claims

STORED = json.loads((FILES / "trained" / "mnist-pixels.json").read_text(encoding="utf-8"))


def sums(part):
    return [sum(v**power * n for v, n in enumerate(STORED[part])) for power in (0, 1, 2)]


@pytest.mark.parametrize(
    ("part", "images", "mean", "deviation"),
    [("training", 60_000, 0.1307, 0.3081), ("test", 10_000, 0.1325, 0.3105)],
)
def test_the_counted_images_have_the_mean_and_deviation_of_the_chapter(
    part, images, mean, deviation
):
    pixels, total, squares = sums(part)
    assert len(STORED[part]) == 256
    assert pixels == images * 28 * 28
    assert round(total / pixels / 255, 4) == mean
    assert round(math.sqrt(pixels * squares - total**2) / pixels / 255, 4) == deviation


def test_the_claim_computes_from_the_counted_sums():
    evidence = next(row.evidence for row in read_claims() if row.id == "D3-65")
    for number in sums("training")[1:]:
        assert f"{number:_}" in evidence


def test_the_program_counts_pixels_and_refuses_other_files(tmp_path):
    histogram = runpy.run_path(str(ROOT / "tools" / "mnist_pixels.py"))["histogram"]
    content = bytes(16) + bytes([0, 3, 3, 255])
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(content))
    counts = histogram(path, hashlib.md5(content, usedforsecurity=False).hexdigest())
    assert {value: count for value, count in enumerate(counts) if count} == {0: 1, 3: 2, 255: 1}
    with pytest.raises(ValueError, match="not the original file"):
        histogram(path, 32 * "0")
