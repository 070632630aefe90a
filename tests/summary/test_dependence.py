"""The receptive field of random networks is what their outputs depend on."""

import pytest
from hypothesis import given, settings

from tests.summary.dependence import check, is_regular, told
from tests.summary.networks import KINDS, networks

PLAIN = ("convolution", "pooling", "residual", "inception", "shuffle", "simple", "ours")


@settings(max_examples=150)
@given(networks(kinds=PLAIN))
def test_networks_of_windows_and_branches(found):
    model, channels, size = found
    check(model, channels, size)
    assert all(is_regular(seen) for sight in told(model, channels, size).values() for seen in sight)


@settings(max_examples=150)
@given(networks())
def test_networks_of_everything(found):
    check(*found)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_alone(kind):
    @settings(max_examples=30)
    @given(networks(kinds=(kind,), most=2))
    def alone(found):
        check(*found)

    alone()
