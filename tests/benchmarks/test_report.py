"""Tests of the tables of stored results."""

import dataclasses

from benchmarks.report import main, report
from convlab.results.store import save
from tests.benchmarks.samples import ROW, RUN, result, row

OTHER = {"layer": "3>64 7x7 s2 @224", "count": 1}


def cells(text, head):
    """Return the cells of the row of a Markdown table that begins with `head`."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {head} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_table_of_layers_has_a_ratio_per_contender_and_their_mean():
    text = report(
        result(
            ROW, row("torch channels_last", 1.25), row("convlab auto", 2.0),
            row("torch", 1.0, **OTHER), row("torch channels_last", 1.25, **OTHER),
            row("convlab auto", 0.5, error=2e-6, **OTHER),
        )
    )  # fmt: skip
    head = ["layer", "GFLOP", "torch, ms", "GFLOP/s", "torch channels_last", "auto"]
    assert cells(text, "layer") == head
    assert cells(text, ROW.layer) == [ROW.layer, "0.23", "2", "116", "1.25", "2.00"]
    assert cells(text, "geometric mean")[4:] == ["1.25", "1.00"]
    # 4 of the first layer and 1 of the second
    assert cells(text, "whole network, ms") == ["whole network, ms", "", "10", "", "8", "8"]
    assert cells(text, "largest error")[-1] == "2e-06"
    assert cells(text, "most extra MiB")[2:] == ["-", "", "1.5", "1.5"]


def test_a_contender_that_missed_layers_says_so():
    text = report(result(ROW, row("convlab auto", 2.0), row("torch", 1.0, **OTHER)))
    assert cells(text, OTHER["layer"])[-1] == "-"
    assert cells(text, "geometric mean")[-1] == "2.00 (1)"
    assert cells(text, "whole network, ms")[-1] == "-"
    assert "fft, 1 case; 1>1 1x1 @1: no" in text


def test_a_table_of_one_layer_starts_with_the_slowest():
    loops = row("convlab naive", 1e-4, extrapolated=True, measured_on="1 of 64 kernels")
    text = report(result(ROW, row("convlab auto", 2.0), loops))
    heads = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    assert heads == ["", "convlab naive", "torch", "convlab auto"]
    assert cells(text, "convlab naive")[1] == "20000*"
    assert "* extrapolated from a part: convlab naive 1 of 64 kernels." in text
    assert cells(text, "torch")[6] == "-"


def test_the_best_peer_is_the_fastest_of_each_layer():
    rows = [
        ROW, row("convlab auto", 2.0), row("einsum", 1.0), row("tensordot", 0.5), row("jax", 9.0),
        row("torch", 1.0, **OTHER), row("convlab auto", 1.0, **OTHER), row("einsum", 0.1, **OTHER),
        row("tensordot", 2.0, **OTHER),
    ]  # fmt: skip
    summary = "geometric mean 1.00, least 0.50 (3>64 7x7 s2 @224, N=1)"
    assert summary in report(result(*rows))
    assert "geometric mean 1.00, least" not in report(result(*rows[:2]))


def test_the_headline_is_the_ratio_against_the_faster_pytorch():
    huge = {"environment": "huge pages"}
    rows = [
        ROW, row("convlab auto", 2.0, cold_ratio=0.5),
        row("torch", 1.0, **OTHER), row("convlab auto", 1.0, **OTHER),
        row("torch", 1.0, **huge), row("convlab auto", 1.0, **huge),
        row("torch", 1.0, **OTHER, **huge), row("convlab auto", 4.0, **OTHER, **huge),
    ]  # fmt: skip
    text = report(result(*rows, runs=[RUN, dataclasses.replace(RUN, environment="huge pages")]))
    line = text.splitlines()[-1]
    found = [cell.strip() for cell in line.strip("|").split("|")]
    measured = ["2", "1.00", "1.00", "1.00", "0.71"]  # the last one of cold calls: 0.5 and 1
    assert found == ["convlab auto", "1", "Output, 1 image, float32", *measured]
    assert "Against the faster" not in report(result(*rows[:4]))  # measured in one environment


def test_disturbed_wall_times_are_reported():
    wall = dataclasses.replace(RUN, clock="wall clock")
    busy = dataclasses.replace(ROW, others=0.8)
    assert "up to 0.8 cores busy" in report(result(busy, runs=[wall]))
    assert "cores busy" not in report(result(ROW, runs=[wall]))
    assert "cores busy" not in report(result(busy))  # CPU time does not count the others'


def test_a_quick_result_is_called_one():
    assert "The numbers mean nothing" in report(result(ROW, quick=True))
    assert "The numbers mean nothing" not in report(result(ROW))


def test_the_machine_and_the_kernels_are_named():
    text = report(result(ROW))
    for words in ("Z80", "1 core,", "L1 32K", "Haswell kernels", "AVX2", "1 thread", "CPU time"):
        assert words in text


def test_stored_files_are_printed(tmp_path, capsys):
    path = save(result(ROW, row("convlab auto", 1.23)), tmp_path)
    main([str(path)])
    assert capsys.readouterr().out == report(result(ROW, row("convlab auto", 1.23))) + "\n"
