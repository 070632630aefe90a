"""Store which exercises a learner has solved, in a file of the user."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from convlab._files import atomic_write, expand_home


def state_file() -> Path:
    """Return the file that keeps the progress; it need not exist.

    It is ``$CONVLAB_STATE``, or ``convlab/exercises.json`` in the user's folder for states:
    ``$XDG_STATE_HOME`` or ``~/.local/state``, ``~/Library/Application Support`` on macOS,
    ``%LOCALAPPDATA%`` on Windows.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict("os.environ", {"CONVLAB_STATE": "/tmp/state.json"}):
    ...     print(state_file().as_posix())
    /tmp/state.json
    """
    if chosen := os.environ.get("CONVLAB_STATE"):
        return expand_home(chosen)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        folder = Path(local) if local else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        # The XDG specification ignores a path that is not absolute.
        states = Path(os.environ.get("XDG_STATE_HOME", ""))
        folder = states if states.is_absolute() else Path.home() / ".local" / "state"
    return folder / "convlab" / "exercises.json"


@dataclass
class Progress:
    """Ids of the exercises that were solved, and the number of hints that were shown for each."""

    done: list[str] = field(default_factory=list)
    hints: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Progress:
        """Read the file; what cannot be read counts as empty."""
        try:
            stored = json.loads(state_file().read_text(encoding="utf-8"))
            hints = {str(name): int(count) for name, count in stored["hints"].items()}
            return cls([str(name) for name in stored["done"]], hints)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def store(self) -> None:
        """Write the file; raise OSError if that is impossible."""
        path = state_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1)
        atomic_write(path, lambda file: file.write(text.encode()))


def forget_progress() -> None:
    """Remove the file, if there is one; raise OSError if that is impossible."""
    state_file().unlink(missing_ok=True)
