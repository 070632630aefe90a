"""What a worker is asked to do, on its way from one process to the other."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from benchmarks.timing import Plan


@dataclass(frozen=True)
class Request:
    """Measure a suite in an environment, which the process already has, with some threads."""

    suite: str
    environment: str
    threads: int
    plan: Plan
    quick: bool

    def to_json(self) -> str:
        """Write it on one line."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> Request:
        """Read what `to_json` wrote."""
        data = json.loads(text)
        return Request(**(data | {"plan": Plan(**data["plan"])}))
