"""From the words that a person typed to a command, and to an exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from convlab import __version__
from convlab.cli import shapes, summary, train
from convlab.cli.errors import CommandError, rank

COMMANDS = (shapes, summary, train)


class _Parser(argparse.ArgumentParser):
    """Argparse, with an error of one line: the usage is a question away (``--help``)."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with exit code 2."""
        self.exit(2, None if rank() else f"{self.prog}: error: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands.

    Examples
    --------
    >>> build_parser().parse_args(["shapes", "224", "--kernel", "7"]).size
    (224, 224)
    """
    parser = _Parser(prog="convlab", description="What convolutions compute, and what they cost.")
    parser.add_argument("--version", action="version", version=f"convlab {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and print what it says.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; by default those that were typed.

    Returns
    -------
    int
        Exit code: 0, or 1 if whoever read the output went away.

    Raises
    ------
    SystemExit
        With code 2 and one line on stderr if an argument is wrong; with code 1 if something that
        the command needs is not installed, or fails; with code 130 after Ctrl-C; with code 0
        after ``--help`` and ``--version``.

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
    try:
        text = parsed.run(parsed)
    except CommandError as error:
        parser.exit(error.code, _line_of(error, parsed.command))
    except KeyboardInterrupt:
        parser.exit(130, None if rank() else f"convlab {parsed.command}: interrupted\n")
    try:
        if text:
            _write(text)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough. Python flushes once more at its end: let it
        # flush into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _line_of(error: CommandError, command: str) -> str | None:
    """Put an error into one line; None if another process says the same."""
    message = " ".join(str(error).split())
    if not rank():
        return f"convlab {command}: error: {message}\n"
    return None if error.everywhere else f"convlab {command}, process {rank()}: error: {message}\n"


def _write(text: str) -> None:
    """Print, with a question mark for what the terminal has no letter for."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, errors="replace").decode(encoding) + "\n")
    sys.stdout.flush()
