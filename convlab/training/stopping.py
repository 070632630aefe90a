"""Ctrl-C and the polite request to end, heard between two steps and never within one."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """The training was asked to stop, has saved its state, and can be continued.

    Parameters
    ----------
    message : str
        How far it came and where the state is.
    signal_number : int
        What asked: SIGINT (Ctrl-C) or SIGTERM.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class StopRequest:
    """Remembers the first signal that asks to stop, instead of ending at once.

    A second Ctrl-C does end at once: the files on disk are whole at every moment. Not so among
    several processes, since `torchrun` passes Ctrl-C on to those that the terminal told already.
    Outside the main thread, where Python delivers no signals, and if not `active`, nothing changes.

    Parameters
    ----------
    active : bool
        Whether there is a place to save to.
    alone : bool
        Whether a second Ctrl-C ends at once.

    Examples
    --------
    >>> with StopRequest(active=True) as request:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     request.signal_number == signal.SIGTERM
    True
    """

    def __init__(self, active: bool, alone: bool = True) -> None:
        self._alone = alone
        self.signal_number = 0
        self._active = active and threading.current_thread() is threading.main_thread()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if self._active:
            self._before = {one: signal.signal(one, self._note) for one in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number and number == signal.SIGINT and self._alone:
            raise KeyboardInterrupt
        self.signal_number = number
