"""Processes that measure: they get a request as their only argument, and answer in JSON lines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def answers(
    module: str, request: str, environment: dict[str, str], about: str
) -> Iterator[dict[str, Any]]:
    """Start ``python -m MODULE REQUEST`` and pass on what it says, line by line.

    Raises
    ------
    RuntimeError
        If it fails; the message names what it was `about`.
    """
    command = [sys.executable, "-m", module, request]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8"
    ) as worker:
        assert worker.stdout is not None
        try:
            for line in worker.stdout:
                yield json.loads(line)
        except BaseException:
            worker.kill()
            raise
    if worker.returncode:
        raise RuntimeError(f"the worker for {about} ended with {worker.returncode}")
