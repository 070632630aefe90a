"""Copy the licences of the packages whose files the site contains into `_static/licences`."""

import importlib.metadata
import shutil
from pathlib import Path

PACKAGES = (
    "myst-nb",
    "pydata-sphinx-theme",
    "Pygments",
    "Sphinx",
    "sphinx-book-theme",
    "sphinx-copybutton",
    "sphinx-design",
    "sphinx-togglebutton",
)


def copy_licences(app, exception):
    """Copy the licence file of each package, once the pages are written."""
    if exception is None and app.builder.format == "html":
        folder = Path(app.outdir, "_static", "licences")
        folder.mkdir(parents=True, exist_ok=True)
        for package in PACKAGES:
            files = importlib.metadata.distribution(package).files
            (licence,) = (f for f in files if f.stem == "LICENSE" and ".dist-info" in f.parts[0])
            shutil.copyfile(licence.locate(), folder / f"{package}.txt")


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", copy_licences)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
