"""Tests of `convlab shapes`, whose numbers are those of `convlab.shapes`."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab import shapes
from convlab.cli import main
from convlab.cli.command import build_parser
from convlab.cli.errors import CommandError


def output_of(capsys, *words):
    assert main(["shapes", *map(str, words)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_the_first_layer_of_resnet_step_by_step(capsys):
    assert output_of(capsys, 224, "--kernel", 7, "--stride", 2, "--padding", 3) == (
        "input 224x224, kernel 7x7, stride 2, padding 3, dilation 1\n"
        "\n"
        "height and width\n"
        "  the kernel spans                 1 * (7 - 1) + 1 = 7\n"
        "  with its padding, the input has  224 + 3 + 3 = 230\n"
        "  the window can move by           230 - 7 = 223\n"
        "  in steps, rounded down           223 / 2 = 111 (remainder 1)\n"
        "  and one for where it starts      111 + 1 = 112\n"
        "  never looked at, at the end      1 of the padding\n"
        "  output 0 reads the cells         -3 to 3\n"
        "  output 111 reads the cells       219 to 225\n"
        "  output i reads the cells         2 * i - 3 to 2 * i + 3\n"
        "\n"
        "output 112x112\n"
    )


def test_height_and_width_are_derived_apart_where_they_differ(capsys):
    text = output_of(capsys, "224x320", "--kernel", "3x4", "--padding", "same", "--dilation", "2x1")
    assert "kernel 3x4, stride 1, padding same, dilation 2x1" in text
    assert "height\n" in text
    assert "320 + 1 + 2 = 323" in text  # the odd cell of padding lies at the right
    assert text.endswith("output 224x320\n")


def test_unused_cells_are_counted_in_image_and_padding(capsys):
    assert "at the end      1 of the image" in output_of(capsys, 224, "--kernel", 3, "--stride", 2)
    both = output_of(capsys, 10, "--kernel", 3, "--stride", 5, "--padding", 1)
    assert "at the end      3 of the image and 1 of the padding" in both
    assert "at the end      nothing" in output_of(capsys, 5, "--kernel", 3, "--padding", "valid")


def test_a_pooling_steps_by_its_kernel_and_may_round_up(capsys):
    assert output_of(capsys, 5, "--kernel", 2, "--pool").endswith("output 2x2\n")
    text = output_of(capsys, 6, "--kernel", 3, "--stride", 2, "--ceil-mode")
    assert "3 / 2 = 2 (remainder 1)" in text
    assert "the last window reaches over by  1" in text
    assert text.endswith("output 3x3\n")
    assert "less a window behind the input   3 - 1 = 2" in output_of(
        capsys, 6, "--kernel", 2, "--stride", 3, "--ceil-mode"
    )
    assert output_of(capsys, 5, "--kernel", 2, "--pool", "--padding", "valid").endswith("2x2\n")


sizes = st.integers(1, 30)


@settings(max_examples=200)
@given(
    size=st.tuples(sizes, sizes),
    kernel=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    mode=st.sampled_from([[], ["--pool"], ["--ceil-mode"]]),
)
def test_every_size_is_that_of_the_package(size, kernel, stride, padding, dilation, mode):
    numbers = (size, kernel, stride, padding, dilation)
    words = ["shapes", "x".join(map(str, size)), *mode]
    for name, value in zip(("kernel", "stride", "padding", "dilation"), numbers[1:], strict=True):
        words += [f"--{name}", "x".join(map(str, value))]
    parsed = build_parser().parse_args(words)
    ask = shapes.pool2d_output_size if mode else shapes.conv2d_output_size
    try:
        expected = ask(*numbers, *(["--ceil-mode" in mode] if mode else []))
    except ValueError as error:
        expected = str(error)
    try:
        text = parsed.run(parsed)
    except CommandError as error:
        text = str(error)
    ending = expected if isinstance(expected, str) else f"output {expected[0]}x{expected[1]}"
    assert text.endswith(ending)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["3", "--kernel", "5"], "the kernel does not fit"),
        (["3"], "the following arguments are required: --kernel"),
        (["3x3x3", "--kernel", "1"], "expected one number, or height x width, got 3 numbers"),
        (["a", "--kernel", "1"], "expected whole numbers with an x between them"),
        (["3", "--kernel", "1.5"], "expected whole numbers .* got '1.5'"),
        (["3", "--kernel", "3", "--padding", "full"], "expected 'same', 'valid', one number"),
        (["3", "--kernel", "3", "--padding", "-1"], "padding.* must be at least 0, got -1"),
        (["9", "--kernel", "3", "--padding", "same", "--stride", "2"], "needs stride 1"),
        (["9", "--kernel", "3", "--padding", "same", "--pool"], ": pooling takes numbers"),
        (["9", "--kernel", "3", "--padding", "2", "--pool"], "more than half of kernel_size"),
        (["0", "--kernel", "3"], "size.* must be at least 1, got 0"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(capsys, words, message):
    with pytest.raises(SystemExit) as ended:
        main(["shapes", *words])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("convlab shapes: error: ")
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err)


def test_it_needs_neither_numpy_nor_pytorch():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['numpy', 'torch', 'matplotlib']))\n"
        "from convlab.cli import main; sys.exit(main(['shapes', '224', '--kernel', '7']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("output 218x218\n")
