"""Images to learn from, as plain arrays: bytes ``(N, C, H, W)`` and labels, split once and for all.

`load` knows four data sets by name. ``"digits"``, 1,797 real handwritten digits, is part of the
package; ``"mnist"``, ``"fashion-mnist"`` and ``"cifar10"`` are downloaded when they are first
asked for, by torchvision, and kept in the `cache_folder`. Reading needs NumPy and nothing else.

`split_validation` sets a part of the training images apart for choices, so that the test images
stay untouched until the end. `match_input` brings images to the shape that a network was made for.

Examples
--------
>>> digits = load("digits")
>>> digits
<Dataset 'digits': 1442 training, 0 validation and 355 test images of 1 x 28 x 28, 10 classes>
>>> digits.train_images.dtype, digits.train_labels[:5]
(dtype('uint8'), array([0, 1, 2, 3, 4]))
>>> split_validation(digits, fraction=0.1, seed=0)
<Dataset 'digits': 1297 training, 145 validation and 355 test images of 1 x 28 x 28, 10 classes>
"""

from convlab.data.cache import cache_folder
from convlab.data.catalogue import DATASETS, DatasetEntry
from convlab.data.dataset import Dataset
from convlab.data.enlarging import enlarge
from convlab.data.errors import DataError
from convlab.data.loading import load
from convlab.data.matching import match_input
from convlab.data.splitting import split_validation, stratified_split

__all__ = [
    "DATASETS",
    "DataError",
    "Dataset",
    "DatasetEntry",
    "cache_folder",
    "enlarge",
    "load",
    "match_input",
    "split_validation",
    "stratified_split",
]
