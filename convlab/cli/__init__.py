"""The command line: ``convlab`` or ``python -m convlab``.

One file per command. Each has two functions: `add` declares the command and its arguments, `run`
takes them and returns the text to print. What is wrong with the arguments is an error of one line,
and the exit code 2.
"""

from convlab.cli.command import main

__all__ = ["main"]
