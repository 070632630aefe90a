"""Copy pieces of the package into the chapters that show them.

A comment in a notebook names the piece, and the code block below it holds the copy: the directive
``literalinclude`` would show nothing where only Jupyter or Colab renders the text. The comment has
the options of that directive::

    <!-- code from convlab/ops/methods/naive.py
    start-at: "    for n in range(images):"
    dedent: 4
    -->

Run this after a change of code that a chapter shows, or of such a comment::

    python tools/included_code.py
"""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import yaml
from sphinx.directives.code import LiteralInclude, LiteralIncludeReader

ROOT = Path(__file__).parent.parent
PIECE = re.compile(
    r"(?P<comment><!-- code from (?P<file>\S+)\n(?P<options>(?:[\w-]+:[^\n]*\n)*)-->\n)"
    r"```python\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def read_piece(file, options):
    """Return the lines of a file that a comment asks for."""
    known = LiteralInclude.option_spec
    chosen = {name: known[name](str(value)) for name, value in (options or {}).items()}
    reader = LiteralIncludeReader(
        str(ROOT / file), chosen, SimpleNamespace(source_encoding="utf-8")
    )
    return reader.read()[0].rstrip("\n") + "\n"


def renew(text):
    """Return a text with each piece as it is in its file now."""

    def block(match):
        code = read_piece(match["file"], yaml.safe_load(match["options"]))
        return f"{match['comment']}```python\n{code}```"

    return PIECE.sub(block, text)


def main():
    """Renew the pieces in all notebooks."""
    for path in sorted((ROOT / "book").rglob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = renew("".join(cell["source"])).splitlines(keepends=True)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
