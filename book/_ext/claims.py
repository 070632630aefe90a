"""Read what the five documents claim, and show the verdicts in the book.

`book/claims.yml` names the documents and their sections; `book/claims/` holds their claims, one
file per document, one row per claim. `tests/book/claims.py` runs the evidence of every row.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

BOOK = Path(__file__).resolve().parents[1]
VERDICTS = ("true", "false", "misleading", "incomplete", "outdated", "not checkable")


@dataclass(frozen=True)
class Claim:
    """What a document says, and what is right.

    Attributes
    ----------
    id : str
        As "D0-41": the document and a number.
    section : str
        The section of the document, a key of its ``sections``.
    says : str
        The claim, in our words.
    verdict : str
        One of `VERDICTS`.
    correction : str
        What is right; empty if nothing is to be said.
    taught_in : str
        Where the book teaches it, as "chapter#anchor".
    evidence : str
        Code that shows it; empty if the claim cannot be checked.
    prints : str
        What the evidence prints.
    also : dict of str to str
        Other ids of the same claim, each with its section.
    turn : tuple of two str, or empty
        A change of the evidence, old and new text, that turns its result. Given where a change of
        one number or name, as `tests/book/claims.py` tries them, does not turn it.
    """

    id: str
    section: str
    says: str
    verdict: str
    correction: str
    taught_in: str
    evidence: str = ""
    prints: str = ""
    also: dict[str, str] = field(default_factory=dict)
    turn: tuple[str, ...] = ()

    @property
    def places(self):
        """Map every id of the claim to its section."""
        return {self.id: self.section, **self.also}


def read_rows(path):
    """Read the claims of one file."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Claim(**{**row, "verdict": _word(row["verdict"])}) for row in rows]


def _word(verdict):
    """Give a verdict as text; without quotes, YAML reads two of them as truth values."""
    return str(verdict).lower() if isinstance(verdict, bool) else verdict


@cache
def _read_claims(paths, _modified):
    return [claim for path in paths for claim in read_rows(path)]


def read_claims():
    """Read all claims, in the order of the documents."""
    paths = tuple(sorted((BOOK / "claims").glob("*.yml")))
    return _read_claims(paths, tuple(path.stat().st_mtime_ns for path in paths))
