"""Parse the command line, run a command, and return the exit code."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from convlab import __version__
from convlab.cli import check, explain, predict, shapes, summary, train
from convlab.cli.errors import CheckFailed, CommandError, printable, rank

_MAX_MESSAGE = 2000  # characters

COMMANDS = {
    "shapes": shapes,
    "summary": summary,
    "explain": explain,
    "train": train,
    "predict": predict,
    "check": check,
}


class _Parser(argparse.ArgumentParser):
    """Argument parser that reports errors in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Print the message and exit with code 2."""
        self.exit(2, None if rank() else f"{self.prog}: error: {_one_line(message)}\n")


class _Version(argparse.Action):
    """Print the versions that a report of an error needs, and exit."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        """Look the versions up in the metadata: importing PyTorch takes seconds."""
        packages = " ".join(f"{name} {_installed(name)}," for name in ("NumPy", "torch"))
        python = f"Python {platform.python_version()}"
        _print(f"convlab {__version__}\n{python}, {packages} {platform.platform()}")
        parser.exit()


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands.

    Examples
    --------
    >>> build_parser().parse_args(["shapes", "224", "--kernel", "7"]).size
    (224, 224)
    """
    parser = _Parser(
        prog="convlab",
        description="Derive output sizes, summarize models, explain errors, train networks, "
        "classify pictures, and check exercises.",
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="print the versions of convlab, NumPy and torch"
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, command in COMMANDS.items():
        command_parser = commands.add_parser(
            name,
            help=command.HELP,
            description=f"{command.HELP[0].upper()}{command.HELP[1:]}.",
            epilog=command.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(command_parser)
        command_parser.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and print its result.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments after the program's name; by default those of the process.

    Returns
    -------
    int
        Exit code: 0; or 1 if what ``explain`` or ``check`` checks does not hold, or the reader
        of the output closed the pipe.

    Raises
    ------
    SystemExit
        With code 2 and one line on stderr if an argument is wrong; with code 1 if a package is
        missing or the command fails; with code 130 after Ctrl-C; with code 0 after ``--help`` and
        ``--version``.

    Examples
    --------
    >>> main(["shapes", "32", "--kernel", "5"])  # doctest: +ELLIPSIS
    input 32x32, kernel 5x5, stride 1, padding 0, dilation 1
    ...
    output 28x28
    0
    """
    parser = build_parser()
    parsed = parser.parse_args(arguments)
    code = 0
    try:
        text = parsed.run(parsed)
    except CheckFailed as failure:
        text, code = str(failure), 1
    except CommandError as error:
        parser.exit(error.code, _error_line(error, parsed.command))
    except KeyboardInterrupt:
        parser.exit(130, None if rank() else f"convlab {parsed.command}: interrupted\n")
    try:
        if text:
            _print(text)
    except BrokenPipeError:
        # The reader, such as `head`, has exited. Python flushes stdout again at exit: redirect it
        # to the null device.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _error_line(error: CommandError, command: str) -> str | None:
    """Format an error as one line; return None if another process prints the same."""
    message = _one_line(str(error))
    if not rank():
        return f"convlab {command}: error: {message}\n"
    return None if error.everywhere else f"convlab {command}, process {rank()}: error: {message}\n"


def _one_line(message: str) -> str:
    """Return a message in one line, not too long, with escapes for what does not print."""
    words = " ".join(message.split())
    words = words if len(words) <= _MAX_MESSAGE else f"{words[:_MAX_MESSAGE]} ..."
    return "".join(x if x.isprintable() else ascii(x)[1:-1] for x in words)


def _print(text: str) -> None:
    sys.stdout.write(printable(text) + "\n")
    sys.stdout.flush()
