"""Tests of rounds, pauses and medians, with a simulated clock."""

import gc

import pytest

from benchmarks.timing import (
    Clock,
    Plan,
    Runner,
    Times,
    clock_for,
    estimate,
    interleave,
    ratios,
    spread,
)


class Simulation:
    """Simulated clock and calls of given durations, with a list of events."""

    def __init__(self, pause=0.0):
        self.time = 0.0
        self.events = []
        self.clock = Clock("fake", lambda: self.time, pause, self.sleep)

    def sleep(self, duration):
        self.events.append("pause")
        self.time += duration

    def runner(self, name, *takes, library=None, expected=None, scale=1.0):
        """Make a runner whose calls take these seconds in turn, and then always the last."""
        left = list(takes)

        def call():
            self.events.append(name)
            self.time += left.pop(0) if len(left) > 1 else left[0]

        return Runner(name, library or name, call, expected or takes[0], scale)


PLAN = Plan(rounds=3, least_rounds=2, budget=100, least=2e-3)


def test_a_round_times_each_contender_once_and_another_one_starts_each_round():
    simulation = Simulation()
    interleave([simulation.runner(name, 1.0) for name in "abc"], PLAN, simulation.clock)
    assert "".join(simulation.events) == "abc" + "bca" + "cab"


def test_short_calls_are_repeated_after_a_cold_one():
    simulation = Simulation()
    runner = simulation.runner("a", 1e-3)
    times = interleave([runner], PLAN, simulation.clock)
    assert runner.repeats(PLAN) == 2
    assert simulation.events == ["a"] * 3 * PLAN.rounds
    assert times["a"].warm == pytest.approx([1e-3] * 3)


def test_a_timing_is_the_mean_of_its_repeats():
    simulation = Simulation()
    runner = simulation.runner("a", 50e-3, 2e-3, 4e-3, expected=1e-3)
    times = interleave([runner], Plan(rounds=1), simulation.clock)
    assert times["a"].warm == pytest.approx([3e-3])
    assert times["a"].cold == pytest.approx([50e-3])


def test_a_long_call_is_cold_and_warm_at_once():
    simulation = Simulation()
    times = interleave([simulation.runner("a", 1.0, 2.0, 3.0)], PLAN, simulation.clock)
    assert times["a"] == Times([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])


def test_a_slow_contender_misses_the_last_rounds_but_not_the_least():
    simulation = Simulation()
    runners = [simulation.runner("fast", 1.0), simulation.runner("slow", 60.0)]
    times = interleave(runners, Plan(rounds=7, least_rounds=2, budget=10), simulation.clock)
    assert len(times["fast"].warm) == len(times["fast"].cold) == 7
    assert len(times["slow"].warm) == len(times["slow"].cold) == 2


def test_the_reference_is_in_every_round():
    simulation = Simulation()
    runners = [simulation.runner("fast", 1.0), simulation.runner("slow", 60.0)]
    plan = Plan(rounds=7, least_rounds=2, budget=10)
    times = interleave(runners, plan, simulation.clock, always={"slow"})
    assert len(times["slow"].warm) == 7


def test_a_part_is_multiplied():
    simulation = Simulation()
    times = interleave([simulation.runner("a", 2.0, scale=8)], PLAN, simulation.clock)
    assert times["a"] == Times([16.0] * 3, [16.0] * 3)
    short = interleave([simulation.runner("a", 2e-3, scale=8)], PLAN, simulation.clock)["a"]
    assert short.warm == short.cold == pytest.approx([16e-3] * 3)


def test_a_pause_lies_between_two_libraries_and_is_not_timed():
    simulation = Simulation(pause=0.5)
    runners = [simulation.runner("a", 1.0, library="x"), simulation.runner("b", 1.0, library="x")]
    runners.append(simulation.runner("c", 1.0, library="y"))
    times = interleave(runners, Plan(rounds=1), simulation.clock)
    assert simulation.events == ["a", "b", "pause", "c"]
    assert {name: own.warm for name, own in times.items()} == {"a": [1.0], "b": [1.0], "c": [1.0]}


def test_garbage_is_not_collected_during_a_timing():
    enabled = []
    interleave(
        [Runner("a", "a", lambda: enabled.append(gc.isenabled()), 1.0)], PLAN, Simulation().clock
    )
    assert enabled == [False] * 3
    assert gc.isenabled()


def test_an_estimate_leaves_the_warm_up_out():
    simulation = Simulation()
    assert estimate(simulation.runner("a", 0.2, 0.01).call, simulation.clock) == pytest.approx(0.01)


def test_an_estimate_calls_something_slow_only_once():
    simulation = Simulation()
    assert estimate(simulation.runner("a", 5.0, 1.0).call, simulation.clock) == pytest.approx(5.0)
    assert simulation.events.count("a") == 1


def test_quartiles_are_not_affected_by_one_outlier():
    middle = spread([1.0, 2.0, 3.0, 4.0, 1000.0])
    assert (middle.low, middle.median, middle.high, middle.n) == (2.0, 3.0, 4.0, 5)
    once = spread([7.0])
    assert (once.low, once.median, once.high, once.n) == (7.0, 7.0, 7.0, 1)


def test_a_ratio_above_one_means_faster_than_the_reference():
    assert ratios([2.0, 4.0, 6.0], [1.0, 8.0]) == [2.0, 0.5]  # the third round was missed


def test_a_median_of_ratios_is_not_affected_by_one_slow_round():
    reference, mine = [1.0, 1.0, 50.0, 1.0, 30.0], [0.5, 0.5, 25.0, 0.5, 15.0]
    found = spread(ratios(reference, mine))
    assert (found.low, found.median, found.high) == (2.0, 2.0, 2.0)


def test_one_thread_is_timed_by_its_cpu_time():
    assert clock_for(1).name == "CPU time"
    assert clock_for(1).pause == 0
    assert clock_for(2).name == "wall clock"
    assert clock_for(2).pause >= 0.026  # how long OpenBLAS and OpenMP spin
