"""Seed every test, so that its random numbers do not depend on the tests before it."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
