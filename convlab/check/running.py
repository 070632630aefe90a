"""Run a learner's function with a time limit, and leave the surroundings as they were."""

from __future__ import annotations

import copy
import ctypes
import io
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from convlab.check.exercise import Arguments, Function

_ENDING = 2.0  # seconds in which a thread is made to end, before it is left behind
_PAUSE = 0.002
_MAX_PRINTED = 500
_NOT_TO_INTERRUPT = (__file__, threading.__file__)


class TooSlow(SystemExit):
    """Raised in a learner's code when its time is over.

    A thread that ends with a SystemExit prints no traceback.
    """


@dataclass(frozen=True)
class Outcome:
    """The outcome of one call.

    Attributes
    ----------
    value : object
        What the call returned.
    error : BaseException or None
        What it raised; TooSlow if its time was over.
    printed : str
        The first characters that it wrote to stdout.
    changed : tuple of int
        Places of the arguments, arrays or lists of numbers, that it has changed.
    """

    value: Any = None
    error: BaseException | None = None
    printed: str = ""
    changed: tuple[int, ...] = ()


def run_calls(
    function: Function,
    calls: Sequence[Arguments],
    seconds: float | None,
    result: Callable[[Arguments, Any], Any] | None = None,
) -> list[Outcome]:
    """Call a function with copies of each of the arguments, and return the outcomes.

    The calls run in a thread, in which `TooSlow` is raised when the seconds for all of them, if
    any, are over; so the limit holds in notebooks, and on every system. The last outcome is that of
    the call that was running then, or of one whose recursion had no end. Random number generators
    are left as they were; what is printed and warned of is not shown.

    Examples
    --------
    >>> [outcome.value for outcome in run_calls(max, [(1, 2), (4, 3)], seconds=10)]
    [2, 4]
    """
    outcomes: list[Outcome] = []
    output = _Beginning()

    def work() -> None:
        for arguments in calls:
            output.restart()
            outcome = _run(function, arguments, result, output)
            outcomes.append(outcome)
            if isinstance(outcome.error, TooSlow | RecursionError):  # each takes long
                break

    with ExitStack() as stack:
        stack.enter_context(_random_states_preserved())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(redirect_stdout(output))
        worker = _Worker(work)
        worker.start()
        try:
            is_late = not worker.ended.wait(seconds)
        finally:  # also after Ctrl-C
            worker.end()
    finished = list(outcomes)
    if is_late and not (finished and isinstance(finished[-1].error, TooSlow)):
        finished.append(Outcome(error=TooSlow(), printed=output.text))
    return finished


def _run(
    function: Function,
    arguments: Arguments,
    result: Callable[[Arguments, Any], Any] | None,
    output: _Beginning,
) -> Outcome:
    copies = copy.deepcopy(arguments)
    try:
        value = function(*copies)
        changed = tuple(
            place
            for place, (ours, theirs) in enumerate(zip(arguments, copies, strict=True))
            if isinstance(ours, np.ndarray | list) and not _is_same(ours, theirs)
        )
        if result is not None:
            value = result(copies, value)
    except BaseException as error:
        return Outcome(error=error, printed=output.text)
    return Outcome(value, printed=output.text, changed=changed)


def _is_same(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        return bool(before.shape == after.shape) and before.tobytes() == after.tobytes()
    if isinstance(before, list):
        return len(before) == len(after) and all(map(_is_same, before, after))
    return before is after or bool(before == after)


class _Worker(threading.Thread):
    """A thread that can be made to end, as far as this is possible: C code is not interrupted."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.ended = threading.Event()  # after Ctrl-C, is_alive() may be wrong (bpo-45274)
        self.is_late = False
        self.interrupted: FrameType | None = None  # where the exception was raised last

    def run(self) -> None:
        """Do the work, with a trace function that is called for each call of a function."""
        sys.settrace(self._trace_call)
        with suppress(TooSlow):  # raised between two calls
            self.work()
        sys.settrace(None)
        self.ended.set()

    def end(self) -> None:
        """Raise `TooSlow` in the learner's code until the thread ends, for some seconds at most.

        A handler may catch it, as in ``try: ... except: pass``; then the trace function raises it
        in the handler.
        """
        self.is_late = True
        deadline = time.monotonic() + _ENDING
        while not self.ended.is_set() and time.monotonic() < deadline:
            frame = sys._current_frames().get(self.ident or 0)
            # Code of this module and of threading must not be interrupted.
            if frame is not None and frame.f_code.co_filename not in _NOT_TO_INTERRUPT:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self.ident or 0), ctypes.py_object(TooSlow)
                )
                while frame is not None and frame.f_code.co_filename != __file__:
                    frame.f_trace = self._trace_line
                    frame = frame.f_back
            self.ended.wait(_PAUSE)

    def _trace_call(self, frame: FrameType, event: str, value: Any) -> Any:
        is_interruptible = frame.f_code.co_filename not in _NOT_TO_INTERRUPT
        return self._trace_line if self.is_late and is_interruptible else None

    def _trace_line(self, frame: FrameType, event: str, value: Any) -> Any:
        if event == "exception" and value[0] is TooSlow:
            self.interrupted = frame
        elif event == "line" and self.interrupted is frame:
            raise TooSlow
        return self._trace_line


class _Beginning(io.TextIOBase):
    """A stream that keeps the beginning of what is written."""

    def __init__(self) -> None:
        self.text = ""

    def restart(self) -> None:
        """Forget what was written."""
        self.text = ""

    def write(self, text: str) -> int:
        """Keep the characters for which there is room."""
        self.text += text[: _MAX_PRINTED - len(self.text)]
        return len(text)


@contextmanager
def _random_states_preserved() -> Iterator[None]:
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 (what learners' code may use)
    torch = sys.modules.get("torch")
    torch_state = None if torch is None else torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(torch_state)
