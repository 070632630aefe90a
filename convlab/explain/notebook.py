"""The extension of IPython: every later cell runs as in a block of `explaining`."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from convlab.explain.explaining import annotate, explaining
from convlab.explain.watch import forget_places

_extensions: dict[int, Extension] = {}


def load(shell: Any) -> None:
    """Add notes to the tracebacks of a shell of IPython, and warn of silent mistakes in its cells.

    Loading it twice changes nothing.
    """
    if id(shell) not in _extensions:
        _extensions[id(shell)] = Extension(shell)


def unload(shell: Any) -> None:
    """Undo `load`."""
    extension = _extensions.pop(id(shell), None)
    if extension is not None:
        extension.remove()


class Extension:
    """What is added to a shell.

    A cell is not a block: IPython catches the error and shows it before a cell ends. Its method
    ``showtraceback`` is where every error passes, also those in ``%%time`` and ``%run``.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.show = shell.showtraceback
        self.own = self._show  # one object, to be compared
        self.is_loaded = True
        self.blocks: list[explaining] = []
        shell.showtraceback = self.own
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    def remove(self) -> None:
        """Leave the shell as it was, but for what another extension has put in its place."""
        self.is_loaded = False
        self.shell.events.unregister("pre_run_cell", self._begin)
        self.shell.events.unregister("post_run_cell", self._end)
        if vars(self.shell).get("showtraceback") is self.own:
            del self.shell.showtraceback
            if self.shell.showtraceback != self.show:  # of an extension that was loaded before
                self.shell.showtraceback = self.show
        while self.blocks:
            self._end()

    def _begin(self, info: Any = None) -> None:
        if not self.blocks:  # a cell that is run again warns again
            forget_places()
        self.blocks.append(explaining().__enter__())

    def _end(self, result: Any = None) -> None:
        if self.blocks:
            self.blocks.pop().__exit__(None, None, None)

    def _show(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> Any:
        with suppress(Exception):
            error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
            if self.is_loaded and isinstance(error, Exception):
                annotate(error, error.__traceback__)
        return self.show(exc_tuple, *args, **kwargs)
