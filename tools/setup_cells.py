"""Write the first cell of every notebook, which installs the package where it is missing.

Run this after a change of the version, or of ``repository`` or ``on_package_index`` in
``_config.yml``; `book/_ext/run_it.py` has the text of the cell::

    python tools/setup_cells.py
"""

import json
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "book" / "_ext"))
from run_it import setup_source  # noqa: E402  # found in the line above

ID = "setup"


def expected_source():
    """Return the source of the cell with the settings of ``_config.yml``."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    repository, on_index = config["repository"], config["sphinx"]["config"]["on_package_index"]
    return setup_source(repository["url"], repository["branch"], on_index)


def write(notebook, source):
    """Put the cell into a notebook, in place of an older one."""
    cells = notebook["cells"]
    if cells[0].get("id") != ID:
        cell = {"cell_type": "code", "execution_count": 1, "id": ID, "metadata": {}, "outputs": []}
        for code in cells:
            if code.get("execution_count"):
                code["execution_count"] += 1  # as if the cell, which shows nothing, had run first
        cells.insert(0, cell)
    cells[0]["metadata"] = {"tags": ["remove-cell"]}
    cells[0]["source"] = source.splitlines(keepends=True)


def main():
    """Write the cell into all notebooks."""
    source = expected_source()
    for path in sorted((ROOT / "book").rglob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        write(notebook, source)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
