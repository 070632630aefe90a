"""What the README and the first page say: the examples are run, the numbers looked up."""

import doctest
import json
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["README.md", "book/index.md"])
def test_the_examples_say_what_they_print(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    examples = "\n".join(block for block in blocks if ">>>" in block)
    parsed = doctest.DocTestParser().get_doctest(examples, {}, name, name, 0)
    assert parsed.examples
    assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(parsed).failed == 0


def test_the_accuracies_are_those_that_were_measured():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    stored = sorted((ROOT / "benchmarks" / "results" / "accuracy").glob("*.json"))
    assert stored
    for path in stored:
        found = json.loads(path.read_text(encoding="utf-8"))
        shares = [100 * run["accuracy"] for run in found["runs"]]
        mean = f"{statistics.fmean(shares):.2f}"
        model, data = found["task"].split("/")
        start = f"| `{model}` | `{data}`"
        row = next(line for line in text.splitlines() if line.startswith(start))
        assert f"| {mean} ({min(shares):.2f} to {max(shares):.2f}) |" in row
        if found["task"] == "simple-cnn/digits":  # the command on the first screen
            seconds = statistics.median(run["seconds"] for run in found["runs"])
            assert f"**{mean} %**" in text
            assert f"in {seconds:.0f} s" in text
