"""Tests of the measurement of one case."""

import threading

import numpy as np
import pytest

from benchmarks.contenders import Contender
from benchmarks.layers import Layer
from benchmarks.measure import Setting, measure, traced
from benchmarks.problems import make
from benchmarks.suites import Case
from benchmarks.timing import Clock, Plan

CASE = Case(Layer(2, 6, 9, 3, padding=1), 4, count=3)


class Simulation:
    """Contenders with correct results that take simulated seconds."""

    def __init__(self):
        self.time = 0.0
        self.clock = Clock("fake", lambda: self.time, sleep=lambda _: None)
        self.setting = Setting("natural", 1, self.clock, Plan(slow=100.0, part=15.0))

    def contender(self, name, per_output=1.0, divisible="", change=0.0, library="numpy"):
        """Make a contender that takes these seconds per image and output channel."""

        def prepare(problem):
            def call():
                self.time += per_output * problem.expected[0].shape[0] * len(problem.w)
                return ((problem.expected[0] + change).astype(problem.x.dtype),)

            return call

        return Contender(name, library, prepare, divisible)

    def rows(self, *others, case=CASE):
        rows, skipped = measure(case, [self.contender("torch"), *others], self.setting)
        return {row.contender: row for row in rows}, skipped


def test_a_row_says_what_was_measured():
    simulation = Simulation()
    rows, skipped = simulation.rows(simulation.contender("mine", 0.5))
    row = rows["mine"]
    assert skipped == []
    assert (row.layer, row.images, row.dtype, row.task) == ("2>6 3x3 @9", 4, "float32", "forward")
    assert (row.environment, row.threads, row.count) == ("natural", 1, 3)
    assert row.ms == pytest.approx(12_000)
    assert row.ratio == row.ratio_low == row.ratio_high == pytest.approx(2)
    assert (row.cold_ms, row.cold_ratio) == (row.ms, row.ratio)  # one long call for both
    assert row.gflop == pytest.approx(CASE.layer.flop(4) / 1e9, rel=1e-3)
    assert row.gflops == pytest.approx(row.gflop / 12, rel=1e-3)
    assert 0 < row.error < 1e-7  # rounded to float32
    assert (row.extrapolated, row.measured_on) == (False, "all")


@pytest.mark.parametrize(
    ("divisible", "words"),
    [("kernels", "1 of 4 images, 1 of 6 kernels"), ("images", "1 of 4 images")],
)
def test_a_slow_contender_is_timed_on_a_part_and_multiplied(divisible, words):
    simulation = Simulation()
    rows, _ = simulation.rows(simulation.contender("slow", 10.0, divisible))
    assert rows["slow"].extrapolated
    assert rows["slow"].measured_on == words
    assert rows["slow"].ms == pytest.approx(10.0 * 4 * 6 * 1e3)
    assert rows["slow"].ratio == pytest.approx(0.1)
    assert rows["slow"].extra_mib is None  # that of one image is not that of four


def test_a_part_is_as_large_as_time_allows():
    simulation = Simulation()
    simulation.setting = Setting("natural", 1, simulation.clock, Plan(slow=100.0, part=3.0))
    rows, _ = simulation.rows(simulation.contender("slow", 1.0, "kernels"))
    assert rows["slow"].measured_on == "1 of 4 images, 3 of 6 kernels"


def test_a_hopeless_contender_is_left_out_with_an_estimate():
    simulation = Simulation()
    rows, (entry,) = simulation.rows(simulation.contender("hopeless", 25.0, "images"))
    assert "hopeless" not in rows
    assert entry.reason == "too slow: about 600.0 s, 25 times torch's"
    assert not entry.wrong
    rows, _ = simulation.rows(simulation.contender("slow", 15.0, "images"))
    assert rows["slow"].extrapolated


def test_kernel_after_kernel_is_never_hopeless():
    simulation = Simulation()
    rows, skipped = simulation.rows(simulation.contender("loops", 1e6, "kernels"))
    assert skipped == []
    assert rows["loops"].ratio == pytest.approx(1e-6)


@pytest.mark.parametrize("divisible", ["", "images", "kernels"])
def test_a_fast_contender_is_timed_on_the_whole_case(divisible):
    simulation = Simulation()
    rows, _ = simulation.rows(simulation.contender("mine", 1.0, divisible))
    assert not rows["mine"].extrapolated


def test_a_contender_that_declines_is_listed_with_its_reason():
    def decline(problem):
        raise ValueError("only for stride 7")

    def decline_later(problem):
        return lambda: decline(problem)

    for prepare in (decline, decline_later):
        rows, skipped = Simulation().rows(Contender("picky", "numpy", prepare))
        assert list(rows) == ["torch"]
        assert [(entry.contender, entry.reason, entry.wrong) for entry in skipped] == [
            ("picky", "only for stride 7", False)
        ]


def test_a_wrong_contender_gets_no_time():
    simulation = Simulation()
    rows, (entry,) = simulation.rows(simulation.contender("wrong", change=0.5))
    assert "wrong" not in rows
    assert entry.wrong
    assert "error of" in entry.reason


def test_any_other_exception_stops_the_measurement():
    def fail(problem):
        raise MemoryError

    with pytest.raises(MemoryError):
        Simulation().rows(Contender("greedy", "numpy", lambda problem: lambda: fail(problem)))


def test_the_reference_of_the_errors_has_none():
    simulation = Simulation()
    case = Case(CASE.layer, 4, "float64")
    reference = simulation.contender("torch", library="torch")
    rows, _ = measure(case, [reference, simulation.contender("mine")], simulation.setting)
    assert [row.error for row in rows] == [None, 0]


def test_memory_is_the_peak_beyond_the_results():
    def call():
        workspace = np.ones(3 * 2**20, np.uint8)
        return (np.full(2**20, workspace[0]),)

    (result,), extra = traced(call)
    assert result.shape == (2**20,)
    assert extra == pytest.approx(3 * 2**20, rel=0.05)


def test_a_workspace_that_a_thread_keeps_counts():
    kept = threading.local()

    def call():
        if not hasattr(kept, "workspace"):
            kept.workspace = np.ones(2**21, np.uint8)
        return (np.zeros(1),)

    call()
    assert traced(call)[1] == pytest.approx(2**21, rel=0.05)


def test_memory_of_the_first_call_alone_does_not_count():
    needs = iter([2**21, 2**10])

    def call():
        return (np.ones(next(needs), np.uint8)[:1].copy(),)

    assert traced(call)[1] < 2**16


def test_memory_of_a_library_that_python_cannot_see_is_unknown():
    simulation = Simulation()
    rows, _ = simulation.rows(simulation.contender("elsewhere", library="jax"))
    assert rows["elsewhere"].extra_mib is None
    assert rows["torch"].extra_mib is not None  # here it is one of NumPy


def test_a_case_has_the_same_numbers_every_time():
    one, other = make(CASE), make(CASE)
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.w, other.w)
    assert 0.5 < one.expected[0].std() < 2
