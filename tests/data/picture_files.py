"""Folders of small pictures, one color per class."""

import numpy as np
from PIL import Image

COLORS = {"blue": (30, 60, 200), "green": (20, 180, 40), "red": (200, 40, 50)}


def write_picture(path, pixels):
    """Write a uint8 array ``(H, W)`` or ``(H, W, 3)``; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    return path


def write_classes(folder, count=5, classes=COLORS, seed=0):
    """Write `count` noisy pictures of different sizes for each class, as ``CLASS/0.png`` etc."""
    random = np.random.default_rng(seed)
    for name in classes:
        for number in range(count):
            size = random.integers(20, 60, 2)
            noise = random.normal(0, 30, (*size, 3))
            write_picture(folder / name / f"{number}.png", (COLORS[name] + noise).clip(0, 255))
    return folder
