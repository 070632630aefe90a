"""Command line interface: ``convlab`` or ``python -m convlab``.

There is one module per command, with two functions: `add` declares the command and its arguments,
`run` takes the parsed arguments and returns the text to print. A wrong argument is reported in one
line, with exit code 2.
"""

from convlab.cli.command import main

__all__ = ["main"]
