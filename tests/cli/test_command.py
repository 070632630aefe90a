"""Tests of the whole command: as a program, without PyTorch, into a closed pipe."""

import platform
import subprocess
import sys
from importlib.metadata import version

import pytest

import convlab
from convlab.cli import main


def run(*words, code="", **options):
    """Run the command in a new Python process, after `code`."""
    program = f"import sys; {code}\nfrom convlab.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=False,
        encoding="utf-8", **options,
    )  # fmt: skip


def test_python_dash_m():
    command = [sys.executable, "-m", "convlab", "shapes", "32", "--kernel", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("output 28x28\n")


def test_without_pytorch_shapes_works_and_summary_says_how_to_get_it():
    without = "sys.modules['torch'] = None"
    assert run("shapes", "32", "--kernel", "5", code=without).returncode == 0
    done = run("summary", "resnet18", code=without)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "convlab summary: error: convlab.summary needs PyTorch, which is not installed: "
        'pip install "convlab-book[torch]"\n'
    )


def test_a_closed_pipe_is_not_an_error():
    program = "import sys; from convlab.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "shapes", "32", "--kernel", "5"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


def test_a_letter_that_the_terminal_lacks_is_a_question_mark(monkeypatch, capsysbinary):
    import io

    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    from convlab.cli.command import _print

    _print("≤3")
    assert stream.buffer.getvalue() == b"?3\n"


@pytest.mark.parametrize("words", [[], ["draw"], ["shapes", "3", "--kernel", "3", "--colour"]])
def test_an_unknown_command_or_option_is_one_line(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("convlab")
    assert error.count("\n") == 1


def test_an_error_is_one_line_of_limited_length_that_prints(capsys):
    for word in ("-\n\x1b[31m", "-\u2028x", "-" * 100_000):
        with pytest.raises(SystemExit) as ended:
            main(["shapes", "3", "--kernel", "3", word])
        assert ended.value.code == 2
        error = capsys.readouterr().err
        assert error[:-1].isprintable()
        assert len(error) < 2200


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["summary", "-h"], ["explain", "-h"]])
def test_help_and_version(capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    assert "convlab" in capsys.readouterr().out


def test_the_version_is_that_of_the_distribution(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    ours, others = capsys.readouterr().out.splitlines()
    assert ours == f"convlab {convlab.__version__}" == f"convlab {version('convlab-book')}"
    for name in ("NumPy", "torch"):
        assert f"{name} {version(name)}, " in others
    assert f"Python {platform.python_version()}, " in others


def test_the_version_without_pytorch_loads_nothing():
    """As without its metadata: the command does not import what it reports."""
    code = (
        "import importlib.metadata as m, sys\n"
        "found, m.version = m.version, lambda name: found('no-' * (name == 'torch') + name)\n"
        "import convlab.cli\n"
        "try: convlab.cli.main(['--version'])\n"
        "except SystemExit: print({'numpy', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch (not installed), " in done.stdout
    assert done.stdout.endswith("\nset()\n")


def test_a_rank_without_a_job_silences_nothing(capsys, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    for name in ("WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit):
        main(["draw"])
    assert "invalid choice: 'draw'" in capsys.readouterr().err
