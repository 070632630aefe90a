"""What the READMEs and the first page say: the examples are run, the numbers looked up."""

import doctest
import json
import re
import statistics
from pathlib import Path

from convlab.results import FILES
from convlab.results.convolution import fair_ratios, geometric_mean
from convlab.results.store import load

ROOT = Path(__file__).resolve().parents[1]


def test_the_examples_say_what_they_print():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    examples = "\n".join(block for block in blocks if ">>>" in block)
    parsed = doctest.DocTestParser().get_doctest(examples, {}, "README.md", "README.md", 0)
    assert parsed.examples
    assert doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(parsed).failed == 0


def test_the_accuracies_are_those_that_were_measured():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    stored = sorted((FILES / "accuracy").glob("*.json"))
    assert stored
    for path in stored:
        found = json.loads(path.read_text(encoding="utf-8"))
        shares = [100 * run["accuracy"] for run in found["runs"]]
        mean = f"{statistics.fmean(shares):.2f}"
        model, data = found["task"].split("/")
        start = f"| `{model}` | `{data}`"
        row = next(line for line in text.splitlines() if line.startswith(start))
        assert f"| {mean} ({min(shares):.2f} to {max(shares):.2f}) |" in row
        if found["task"] == "simple-cnn/digits":  # the command in the README
            seconds = statistics.median(run["seconds"] for run in found["runs"])
            assert f"**{mean} %**" in readme
            assert f"in {seconds:.0f} s" in readme


def test_the_speeds_are_those_that_were_measured():
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    stored = load(FILES / "prepacked.json")
    ratios = fair_ratios(stored.rows)
    least = []
    for name, contender in (("conv2d", "auto"), ("PrepackedConv2d", "prepacked")):
        found = [ratios[f"convlab {contender}", 1, f"Output, {images}, float32"]
                 for images in ("1 image", "8 images")]  # fmt: skip
        means = " | ".join(f"{geometric_mean(group):.2f}" for group in found)
        row = next(line for line in text.splitlines() if line.startswith(f"| `ops.{name}`"))
        assert row.endswith(f" | {means} |")
        least += [min(group) for group in found]
    products = next(run.sgemm for run in stored.runs if run.threads == 1)
    for sentence in (
        f"The least ratio of a layer in the table is {min(least):.2f}.",
        f"NumPy multiplies matrices at {products['numpy']:.0f} GFLOP/s",
        f"and PyTorch at {products['torch']:.0f} GFLOP/s",
    ):
        assert sentence in " ".join(text.split())


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 150
