"""The learning rate as a function of the step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlab.training import TrainConfig, learning_rate

schedules = st.sampled_from(["one-cycle", "cosine", "constant"])


def rates(total, **settings):
    config = TrainConfig(learning_rate=1.0, **settings)
    return [learning_rate(step, total, config) for step in range(total)]


@given(
    total=st.integers(1, 60), schedule=schedules,
    warmup=st.floats(0, 1, exclude_max=True, allow_subnormal=False),
)  # fmt: skip
def test_it_rises_to_the_highest_rate_then_never_rises_again(total, schedule, warmup):
    found = rates(total, schedule=schedule, warmup=warmup)
    top = found.index(max(found))
    assert max(found) == 1
    assert min(found) > 0
    assert found[: top + 1] == sorted(found[: top + 1])
    assert found[top:] == sorted(found[top:], reverse=True)


def test_cosine_is_half_way_down_in_the_middle():
    assert rates(8, schedule="cosine", warmup=0.0)[4] == pytest.approx(0.5)


def test_constant_without_warmup_is_constant():
    assert rates(5, schedule="constant", warmup=0.0) == [1] * 5


def test_pytorch_has_the_same_cosine():
    import torch

    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    theirs = []
    for _ in range(10):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates(10, schedule="cosine", warmup=0.0) == pytest.approx(theirs)


@pytest.mark.parametrize("step", [-1, 10])
def test_a_step_outside_the_training(step):
    with pytest.raises(ValueError, match=f"below total_steps 10, got {step}"):
        learning_rate(step, 10, TrainConfig())
