"""Store what another version of PyTorch says to the mistakes in the catalogue of errors.

    python -m venv OTHER
    OTHER/bin/python -m pip install "torch==2.4.*" "numpy<2"    # Python 3.8 to 3.12, 5 GB on Linux
    OTHER/bin/python tools/old_messages.py

It runs the cells of ``book/errors.ipynb`` that begin a block with ``caught``, and writes class and
message of each error to ``convlab/results/files/messages/torch-2.4.json``, null where nothing
fails. The chapter prints a message where it differs from that of today. Only PyTorch and NumPy are
needed there: the cells that use `convlab` are left out. Run it after a cell was added or changed.
"""

import argparse
import json
import re
import warnings
from contextlib import contextmanager
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
BOOK, MESSAGES = ROOT / "book", ROOT / "convlab" / "results" / "files" / "messages"


def messages(notebook):
    """Run the failing cells of a notebook; return the name and the message of each."""
    cells = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {"__name__": "__main__"}
    exec(next(source for source in sources if "def text_of(" in source), names)
    found = {}

    @contextmanager
    def caught(name):
        found[name] = None
        try:
            yield
        except Exception as error:
            found[name] = names["text_of"](error)

    names["caught"] = caught
    for source in sources:
        if re.search(r"^with caught\(", source, re.MULTILINE):
            exec(source, names)
    return found


def main():
    """Store the messages of the version of PyTorch that runs this."""
    version = ".".join(torch.__version__.split(".")[:2])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=MESSAGES / f"torch-{version}.json")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    stored = {"torch": torch.__version__, "messages": messages(BOOK / "errors.ipynb")}
    text = json.dumps(stored, indent=1, ensure_ascii=False)
    arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
