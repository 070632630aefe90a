"""What several files here compare with."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """All samples, written by another process: PyTorch's modules change global settings."""
    file = tmp_path_factory.mktemp("pytorch") / "samples.pt"
    script = Path(__file__).with_name("pytorch_samples.py")
    done = subprocess.run(
        [sys.executable, script, file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return torch.load(file, weights_only=False)
