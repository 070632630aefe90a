"""Run notebooks from the top and store their outputs.

    python tools/run_notebooks.py                 # all of book/
    python tools/run_notebooks.py book/math.ipynb

Running twice gives the same file: no timestamps, no metadata but tags and figure captions.
(`jupyter nbconvert --execute` would store the time of each cell, and a diff at each run.)
"""

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient

KEPT_METADATA = ("tags", "mystnb")


def run(path: Path, timeout: int) -> None:
    """Execute one notebook, and rewrite it if every cell has succeeded."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # one box on the page for all printed lines
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def main() -> None:
    """Run the notebooks of the command line, or all in book/."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--timeout", type=int, default=300, help="seconds allowed for a cell")
    arguments = parser.parse_args()
    for path in arguments.notebooks or sorted(Path("book").rglob("*.ipynb")):
        run(path, arguments.timeout)
        print(f"ran {path}")


if __name__ == "__main__":
    main()
