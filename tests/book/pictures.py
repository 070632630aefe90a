"""Compare two drawings, with a tolerance for rounding."""

import base64
import io

import matplotlib.image
import numpy as np

# Another CPU rounds differently, which can move a grey value by a step or an edge by a
# fraction of a pixel. A changed number, line or colour moves far more than this.
PIXEL_TOLERANCE = 0.1  # of the range from black to white
SHARE_TOLERANCE = 0.0005  # of all pixels


def read_png(encoded):
    """Decode a picture of a notebook to an array (H, W, channels) of numbers from 0 to 1."""
    return matplotlib.image.imread(io.BytesIO(base64.b64decode(encoded)), format="png")


def difference(stored, drawn):
    """Describe in one sentence how two base64 PNGs differ, or return None."""
    first, second = read_png(stored), read_png(drawn)
    if first.shape != second.shape:
        return f"the stored picture is {first.shape}, the new one {second.shape}"
    changed = (np.abs(first - second) > PIXEL_TOLERANCE).any(axis=2).mean()
    if changed > SHARE_TOLERANCE:
        return f"{changed:.2%} of the pixels differ from the stored picture"
    return None
