"""Signals are remembered inside, and do what they did before outside."""

import signal
import threading

import pytest

from convlab.training.stopping import StopRequest


def test_the_first_ctrl_c_is_remembered_the_second_ends():
    with StopRequest(active=True) as request:
        signal.raise_signal(signal.SIGINT)
        assert request.signal_number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_among_several_processes_repeats_are_expected():
    with StopRequest(active=True, alone=False) as request:
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        assert request.signal_number == signal.SIGINT


@pytest.mark.parametrize("active", [True, False])
def test_afterwards_everything_is_as_before(active):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with StopRequest(active):
        assert (signal.getsignal(signal.SIGINT) != before[0]) == active
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_in_another_thread_nothing_changes():
    found = []

    def work():
        with StopRequest(active=True) as request:
            found.append(request.signal_number)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [0]
