"""Tests of what the chapters select from stored measurements."""

import pytest

from convlab.results import convolution
from convlab.results.convolution import (
    fair_by_layer,
    geometric_mean,
    group_ratios,
    ratio_table,
    select,
    stored,
)
from convlab.results.store import save
from tests.benchmarks.samples import ROW, result, row

OTHER = {"layer": "3>64 7x7 s2 @224", "count": 1}


def test_a_geometric_mean_treats_twice_and_half_alike():
    assert geometric_mean([4.0, 0.25]) == pytest.approx(1)
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4)


HUGE = {"environment": "huge pages"}
MEASURED = [
    row("convlab auto", 2.0, cold_ratio=0.5), row("convlab auto", 1.0, cold_ratio=0.8, **HUGE),
    row("convlab auto", 4.0, **OTHER), row("convlab auto", 8.0, **OTHER, **HUGE),
    row("convlab auto", 9.0, threads=2), row("convlab auto", 9.0, threads=2, **HUGE),
    row("convlab fft", 0.1), row("convlab fft", 0.1, images=8, **HUGE),
]  # fmt: skip


def test_ratios_by_layer_are_the_least_of_two_environments():
    warm = {(ROW.layer, 1, "forward"): 1.0, (OTHER["layer"], 1, "forward"): 4.0}
    assert fair_by_layer(MEASURED, "convlab auto") == warm
    assert fair_by_layer(MEASURED, "convlab auto", "cold_ratio")[ROW.layer, 1, "forward"] == 0.5
    assert fair_by_layer(MEASURED, "convlab auto", threads=2) == {(ROW.layer, 1, "forward"): 9.0}
    assert fair_by_layer(MEASURED, "convlab fft") == {}  # each case in one environment only


def test_rows_are_selected_by_their_fields():
    assert select(MEASURED, threads=2, environment="natural") == [MEASURED[4]]
    assert select(MEASURED) == MEASURED
    with pytest.raises(AttributeError, match="colour"):
        select(MEASURED, colour="red")


def test_a_table_of_ratios_has_a_line_per_name_and_batch_size():
    eight = [row("convlab auto", 3.0, images=8), row("convlab auto", 2.5, images=8, **HUGE)]
    text = ratio_table({"mine": (result(*MEASURED, *eight), "convlab auto")}, "ratios")
    assert [line.split() for line in text.splitlines()] == [
        ["ratios", "N", "mean", "least", "most", "cold"],
        ["mine", "1", "2.00", "1.00", "4.00", "0.71"],  # cold: 0.5 and 1
        ["mine", "8", "2.50", "2.50", "2.50", "1.00"],
    ]


def test_a_stored_suite_is_read_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(convolution, "FILES", tmp_path)
    save(result(ROW), tmp_path)
    assert stored("sample") == result(ROW)


def test_ratios_of_groups_are_those_of_one_thread_by_channels_groups_format_and_images():
    layer = {"layer": "64>64 3x3 g2 @56"}
    found = group_ratios(
        [
            row("torch", 1.0, **layer), row("torch grouped", 1.9, **layer),
            row("torch grouped channels_last", 1.8, images=8, **layer),
            row("torch grouped", 3.0, threads=2, **layer),
            row("torch separable", 4.0),
        ]
    )  # fmt: skip
    assert found == {(64, 2, "NCHW", 1): 1.9, (64, 2, "channels_last", 8): 1.8}
