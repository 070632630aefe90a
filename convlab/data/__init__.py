"""Data sets of labeled images as NumPy arrays, with a fixed split into training and test.

`load` reads a data set by name, a key of `DATASETS`. ``"digits"``, 1,797 handwritten digits, is
part of the package; torchvision downloads ``"mnist"``, ``"fashion-mnist"`` and ``"cifar10"`` once.
Reading needs only NumPy. `load_folder` reads pictures of one's own, and `read_image` a single one;
both need Pillow. `split_validation` moves part of the training images to the validation
images, and `match_input` converts images to the input shape of a network.

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

from convlab.data.cache import DataError
from convlab.data.dataset import Dataset, match_input, split_validation
from convlab.data.folder import load_folder, read_image
from convlab.data.loading import DATASETS, load

__all__ = [
    "DATASETS",
    "DataError",
    "Dataset",
    "load",
    "load_folder",
    "match_input",
    "read_image",
    "split_validation",
]
