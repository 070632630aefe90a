"""Write convlab/data/digits.npz from scikit-learn's copy of the digits.

    python tools/embed_digits.py

The file is in the repository already; this program documents its origin.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

if __name__ == "__main__":
    digits = load_digits()
    np.savez_compressed(
        Path(__file__).parents[1] / "convlab" / "data" / "digits.npz",
        images=digits.images.astype(np.uint8),
        labels=digits.target.astype(np.uint8),
    )
