"""The same random numbers in every run, whatever tests ran before."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
