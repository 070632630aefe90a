"""Show what the example of each drawing function draws, below its documentation."""

import doctest
import inspect
from html import escape
from pathlib import Path

from convlab import plots

DRAWN = {}  # name of a function → the picture of its example, as PNG


def _example(function):
    """Run the example of a docstring; give what it calls `drawing`."""
    names = dict(vars(inspect.getmodule(function)))
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(function)):
        exec(example.source, names)
        if "drawing" in names:
            return names["drawing"]
    return None


def show_example(app, what, name, obj, options, lines):
    """Append the picture to the docstring."""
    if what != "function" or not name.startswith("convlab.plots."):
        return
    drawing = _example(obj)
    if not isinstance(drawing, plots.Drawing):
        return
    DRAWN[obj.__name__] = drawing._repr_png_()
    alt = f"What the example of {obj.__name__} draws. {inspect.getdoc(obj).splitlines()[0]}"
    source = f"../_static/drawings/{obj.__name__}.png"
    lines += [
        "",
        ".. raw:: html",
        "",
        f'   <figure><img src="{source}" alt="{escape(alt)}"></figure>',
    ]


def write_pictures(app, exception):
    """Write the pictures into the site."""
    if exception is None and app.builder.format == "html":
        folder = Path(app.outdir, "_static", "drawings")
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in DRAWN.items():
            (folder / f"{name}.png").write_bytes(picture)


def setup(app):
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", show_example, priority=400)
    app.connect("build-finished", write_pictures)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
