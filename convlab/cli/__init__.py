"""Command line interface: ``convlab`` or ``python -m convlab``.

There is one module per command: `HELP` and `EXAMPLES` are its help texts, `add_arguments` declares
its arguments, and `run` takes the parsed ones and returns the text to print. A wrong argument is
reported in one line, with exit code 2.
"""

from convlab.cli.command import main

__all__ = ["main"]
