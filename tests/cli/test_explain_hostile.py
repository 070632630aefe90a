"""Hostile texts for `convlab explain`: one line, exit code 2, and nothing is evaluated."""

import contextlib
import io
import os
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convlab.cli import main
from convlab.cli.layer_text import LAYERS

TEXTS = [
    "",
    " ",
    "\x00",
    "\ud800(",
    "Conv2d(3, 8, 3)\x00",
    "\x1b[31mConv2d(3, 8, 3)",
    "Conv2d(\uff13, 8, 3)",
    "Conv2d(3, 8, 3);ReLU()",
    "Conv2d(3, 8, 3)\nReLU()",
    "Conv2d(3, 8, 3)()",
    "Conv2d(3, 8, 3).weight",
    "Conv2d(3, 8, 3)[0]",
    "(Conv2d)(3, 8, lambda: 3)",
    "Conv2d(*[3, 8, 3])",
    "Conv2d(**{'in_channels': 3})",
    "Conv2d(3, 8, k := 3)",
    "x = Conv2d(3, 8, 3)",
    "Conv2d(3, 8, 3) if 1 else 2",
    "Conv2d(3, 8, [x for x in (3, 3)])",
    "Conv2d(3, 8, f'{3}')",
    "Conv2d(3, 8, b'3')",
    "Conv2d(3, 8, 3j)",
    "Conv2d(3, 8, ...)",
    "Conv2d(3, 8, 1e999)",
    "Dropout(1e999 - 1e999)",
    "Dropout(nan)",
    "Conv2d(3, 8, 'a' * 1000000000)",
    "Conv2d(3, 8, [3] * 1000000000)",
    "Conv2d(3, 8, 10 ** 10000)",
    "Conv2d(3, 8, 1 << 10000)",
    "Conv2d(3, 8, not 3)",
    "Conv2d(3, 8, ~3)",
    "Conv2d(3, 8, -'a')",
    "Conv2d(3, 8, 3, padding='\\x1b[31m')",
    "Conv2d(3, 8, 3, padding='\n')",
    f"Conv2d(3, 8, {'9' * 4000})",
    f"Conv2d(3, 8, {'9' * 6000})",
    f"Conv2d(3, 8, 0x{'f' * 6000})",
    f"Conv2d(3, 8, {'(' * 150}3{')' * 150}, {'-' * 3000}1)",
    f"Conv2d(3, 8, {'(' * 5000})",
    f"Conv2d(3, 8, {'-' * 9000}3)",
    f"Conv2d(3, 8, {'1+' * 4000}3)",
    f"Conv2d(3, 8, a{'.a' * 4000})",
    f"Conv2d(3, 8, {'not ' * 2000}3)",
    f"{'Sequential(' * 60}ReLU(){')' * 60}",
    f"{'Sequential(' * 900}ReLU(){')' * 900}",
    f"Sequential({'ReLU(), ' * 1000})",
    "ReLU()" + " " * 10 + "(" * 100_000,
    "-" * 100_000,
    "-\nx",
    "Module()",
    "LazyConv2d(8, 3)",
    "DataParallel(ReLU())",
    "Parameter(3)",
    "nn.functional.relu(3)",
    "nn.nn.ReLU()",
    "torch.ReLU()",
    "torch.load('x')",
    "torch.hub.load('a', 'b')",
    "torch.nn.modules.conv.Conv2d(3, 8, 3)",
    "ReLU.__class__(3)",
    "__import__('os').system('exit 1')",
    "().__class__.__base__.__subclasses__()",
    "open('pwned', 'w')",
    'eval(\'open("pwned", "w")\')',
    "Conv2d(3, 8, open('pwned', 'w'))",
    "exit()",
    "os.system('exit 1')",
    "../../etc/passwd",
    "a:b:c",
    ":",
    "a:",
    "my module:net",
    "\u202e:\u202e",
    "%s%s%s(",
    "{0}(",
]


def outcome(*words):
    """Run the command; return the exit code, the output and the errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(["explain", *words])
        except SystemExit as ended:
            code = ended.code
    return code, out.getvalue(), err.getvalue()


def assert_harmless(*words):
    """Check that a text is answered, or refused in one line; return the exit code."""
    code, out, err = outcome(*words)
    if code == 2:
        assert out == ""
        assert err.startswith("convlab explain: error: ")
        assert err.endswith("\n")
        assert err[:-1].isprintable()
        assert len(err) < 2200
    else:
        assert code in (0, 1)
        assert err == ""
        assert out.startswith("The call runs: " if code == 0 else "[")
        assert all(line.isprintable() for line in out.splitlines())
    return code


@pytest.fixture(autouse=True)
def nothing_is_evaluated(monkeypatch, tmp_path):
    """Fail if a text is evaluated: those that do something start a program or write a file."""
    started = []
    monkeypatch.setattr(os, "system", started.append)
    monkeypatch.chdir(tmp_path)
    yield
    assert started == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_hostile_text_is_one_line_and_exit_code_2(text):
    assert assert_harmless(text, "1x3x8x8") == 2


NAMES = [*sorted(LAYERS), "Module", "LazyConv2d", "eval", "os.system", "__class__", "nn.nn.ReLU"]
WORDS = [
    *("0", "1", "2", "3", "8", "(1, 2)", "[3, 3]", "None", "True", "'same'", "bias=False", "-1"),
    *("1e999", "7.5", "9" * 5000, "1j", "...", "*a", "**k", "lambda: 0", "x:=1", "# x", "\x00"),
    *("stride=2", "padding='same'", "groups=2", "kernel_size=3", "device='cpu'", "1000000000"),
    *(
        "\ud800",
        "\u202e",
        "f'{1}'",
        "b'x'",
        "__import__('os').system('touch pwned')",
        "(",
        ")",
        ",",
    ),
    *("a.__class__", "2**99", "4*4", "3//0", "-" * 300 + "1", "\\", "'", '"""', "{", "%s", "\n"),
]


def hostile_text(rng, depth=0):
    """Write a layer with arguments of which some are wrong, and change some characters."""
    if rng.random() < 0.3 and depth < 30:
        inside = [
            hostile_text(rng, depth + 1) for _ in range(rng.randint(0, 3 if depth < 3 else 1))
        ]
        text = f"Sequential({', '.join(inside)})"
    else:
        number_of_arguments = rng.randint(0, 4)
        few = rng.choice([WORDS[:12], WORDS])
        words = ", ".join(rng.choice(few) for _ in range(number_of_arguments))
        text = f"{rng.choice(['', 'nn.', 'torch.nn.'])}{rng.choice(NAMES)}({words})"
    if depth == 0 and rng.random() < 0.5:
        position = rng.randint(0, len(text))
        inserted = rng.choice([*WORDS, chr(rng.randint(0, 0x10FFFF)), text[:position]])
        text = text[:position] + inserted + text[position + rng.randint(0, 3) :]
    return text


def test_three_thousand_generated_texts():
    rng = random.Random(17)
    codes = [
        assert_harmless(
            hostile_text(rng), "x".join(rng.choice("01238") for _ in range(rng.randint(1, 5)))
        )
        for _ in range(3000)
    ]
    assert all(codes.count(code) >= 10 for code in (0, 1, 2))


CHARACTERS = st.characters(exclude_characters=":")  # package.module:name is imported


@settings(max_examples=1500)
@given(st.text(CHARACTERS) | st.text("Sequntial(),[]'\"0123456789.*=-_ "), st.text())
def test_any_text(text, shape):
    assert assert_harmless(text, shape) in (0, 1, 2)
    assert assert_harmless(f"Conv2d({text})", "1x3x8x8") in (0, 1, 2)
    assert assert_harmless("Conv2d(3, 8, 3)", shape) in (0, 1, 2)


def test_any_bytes_as_a_program():
    texts = [
        b"\xff\xfe(",
        "Conv2d(\uff13, 8, 3)".encode(),
        b"\x1b[2J(",
        b"-" * 9000,
        b"ReLU()\n\n#(",
    ]
    for text in texts:
        command = [sys.executable, "-m", "convlab", "explain", text, b"1x\xff"]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
        command[-1] = b"1x3x8x8"
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
