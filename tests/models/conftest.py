"""Seeds, and the comparison of a network with that of torchvision."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def alike():
    """Return a function that checks that two builders make the same network from the same seed."""

    def check(build_ours, build_theirs, sizes):
        torch.manual_seed(5)
        ours = build_ours().eval()
        torch.manual_seed(5)
        theirs = build_theirs().eval()
        numbers, expected = ours.state_dict(), theirs.state_dict()
        assert list(numbers) == list(expected)
        assert all(torch.equal(numbers[name], expected[name]) for name in expected)
        # Other numbers than those of the start, running means and variances included.
        with torch.no_grad():
            for tensor in expected.values():
                if tensor.is_floating_point():
                    tensor.mul_(torch.empty_like(tensor).uniform_(0.9, 1.1))
        ours.load_state_dict(expected, strict=True)
        for batch, height, width in sizes:
            images = torch.randn(batch, 3, height, width)
            with torch.no_grad():
                logits, answer = ours(images), theirs(images)
            torch.testing.assert_close(logits, answer, rtol=1e-5, atol=1e-5)
        theirs.load_state_dict(ours.state_dict(), strict=True)

    return check
