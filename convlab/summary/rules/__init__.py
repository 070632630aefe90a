"""What each operation of PyTorch does to the traces of its inputs: one function per kind.

An operation without a rule makes its output unknown.
"""

from convlab.summary.rules import mixing, movement, windows  # noqa: F401  (they register)
from convlab.summary.rules.calls import RULES, Answer, Axis, Call, Rule
from convlab.summary.rules.mixing import pointwise

__all__ = ["Answer", "Axis", "Call", "Rule", "find_rule"]


def find_rule(call: Call) -> Rule | None:
    """Return the rule for a call, or None."""
    return RULES.get(call.name) or (pointwise if call.pointwise else None)
