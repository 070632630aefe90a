"""The result of a check, as text and as a card in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, repr=False)
class Result:
    """The result of a check. It is true if the answer is right.

    Attributes
    ----------
    exercise : str
        Id of the exercise.
    passed : bool
        Whether the answer is right.
    message : str
        What was checked; or the smallest counterexample: the arguments, the answer, what is right.
    mistake : str or None
        Id of the mistake that was recognized.
    hint : str or None
        The hint for it; if none was recognized, for which arguments a function is right, if this
        depends on one of them.
    is_blank : bool
        Whether there is no answer yet.

    Examples
    --------
    >>> print(Result("count_places", False, "6 is not right.", "steps_counted", "Count places."))
    not yet: count_places
      6 is not right.
      Hint: Count places.
    """

    exercise: str
    passed: bool
    message: str
    mistake: str | None = None
    hint: str | None = None
    is_blank: bool = False

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        lines = [f"{'right' if self.passed else 'not yet'}: {self.exercise}"]
        lines += [f"  {line}" for line in self.message.splitlines()]
        lines += [f"  Hint: {self.hint}"] if self.hint else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        color = "#1a7f37" if self.passed else "#b35900"
        title = f"{'Right' if self.passed else 'Not yet'}: {escape(self.exercise)}"
        parts = [f'<p style="margin:0"><strong>{title}</strong></p>']
        parts.append(f'<p style="margin:.3em 0 0;white-space:pre-wrap">{escape(self.message)}</p>')
        if self.hint:
            hint = f"<strong>Hint:</strong> {escape(self.hint)}"
            parts.append(f'<p style="margin:.3em 0 0">{hint}</p>')
        style = f"border-left:4px solid {color};padding:.5em .8em;max-width:46em"
        return f'<div role="status" style="{style}">{"".join(parts)}</div>'
