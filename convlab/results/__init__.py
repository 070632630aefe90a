"""Stored results that the book reads: measurements, trained weights and error messages.

The folder `FILES` holds

- ``<suite>.json``, ``training``, ``accuracy``, ``explaining``, ``gpu``, ``pages``:
  measurements that the programs in ``benchmarks`` store, each with the machine and the versions;
- ``trained``: the weights of a network, and the counted pixels of MNIST;
- ``messages``: the error messages of an older PyTorch.

`convolution` and `training` select from the measurements, `store` declares their fields. The
files are in the package, so that the chapters also run where the repository is not.
"""

from pathlib import Path

FILES = Path(__file__).parent / "files"

__all__ = ["FILES"]
