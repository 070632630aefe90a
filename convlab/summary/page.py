"""A summary as a table on a page: in a notebook, or in the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convlab.summary.layers import Summary


def render(summary: Summary) -> str:
    """Return HTML."""
    return f"<pre>{summary}</pre>"
