"""Start measuring processes, receive their answers, and show the progress."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from benchmarks.timing import Plan

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Request:
    """Arguments of a worker: the suite, the name of its environment, threads and plan."""

    suite: str
    environment: str
    threads: int
    plan: Plan
    quick: bool

    def to_json(self) -> str:
        """Serialize to one line."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> Request:
        """Deserialize the text of `to_json`."""
        data = json.loads(text)
        return Request(**(data | {"plan": Plan(**data["plan"])}))


def answers(
    module: str,
    request: str,
    environment: dict[str, str],
    about: str,
    limit: float = threading.TIMEOUT_MAX,
) -> Iterator[dict[str, Any]]:
    """Run ``python -m MODULE REQUEST`` and yield its answers, one JSON object per line.

    After `limit` seconds, or if the caller fails, the process is killed, with all that it started.

    Raises
    ------
    RuntimeError
        If the process fails; the message contains `about`.
    TimeoutError
        If the process was killed after `limit` seconds.
    """
    command = [sys.executable, "-m", module, request]
    expired = threading.Event()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8",
        start_new_session=True,
    ) as worker:  # fmt: skip
        assert worker.stdout is not None

        def kill() -> None:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)

        def expire() -> None:
            expired.set()
            kill()

        timer = threading.Timer(limit, expire)
        timer.daemon = True
        timer.start()
        try:
            for line in worker.stdout:
                yield json.loads(line)
            worker.wait()
        except BaseException as error:
            kill()
            # Killing may cut a line off.
            if not (expired.is_set() and isinstance(error, json.JSONDecodeError)):
                raise
        finally:
            timer.cancel()
    if expired.is_set():
        raise TimeoutError(f"the worker for {about} was stopped after {limit:.0f} s")
    if worker.returncode:
        raise RuntimeError(f"the worker for {about} failed with exit code {worker.returncode}")


class Progress:
    """Progress bar on a terminal; one line per section in a log file.

    Parameters
    ----------
    total : int
        Number of steps.
    stream : file
        Output stream.
    now : callable
        Returns the time in seconds.
    """

    WIDTH = 24

    def __init__(
        self, total: int, stream: TextIO, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.total, self.done = total, 0
        self.stream, self.now, self.start = stream, now, now()
        self.heading = ""

    def begin(self, heading: str) -> None:
        """Start a section."""
        self.heading = heading
        self._draw() if self.stream.isatty() else self._emit(f"{self._clock()} {heading}\n")

    def step(self, name: str) -> None:
        """Count one step, and show its name."""
        self.done += 1
        if self.stream.isatty():
            self._draw(name)

    def finish(self) -> None:
        """Clear the line, or log the end."""
        self._emit("\r\x1b[K" if self.stream.isatty() else f"{self._clock()} done\n")

    def _draw(self, name: str = "") -> None:
        filled = self.WIDTH * self.done // max(1, self.total)
        bar = "#" * filled + "." * (self.WIDTH - filled)
        text = f"[{bar}] {self.done}/{self.total} {self._clock()} {self.heading} {name}"
        self._emit(f"\r\x1b[K{text[:79]}")

    def _clock(self) -> str:
        minutes, seconds = divmod(int(self.now() - self.start), 60)
        return f"{minutes}:{seconds:02}"

    def _emit(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
