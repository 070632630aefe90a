"""Serve MathJax from the site itself, so that a page needs no network.

The package sphinx-mathjax-offline carries a whole MathJax 3.2.2, 24 MB. A page needs one
file of it: tex-svg-full.js, 2.3 MB, holds every TeX extension and draws glyphs as SVG
paths, so it fetches no fonts. This extension copies that file at build time. (The
package's own Sphinx extension would copy all 24 MB and select another file.)
"""

import importlib.metadata
import shutil
from pathlib import Path

CARRIER = "sphinx-mathjax-offline"
BUNDLE = "tex-svg-full.js"


def copy_bundle(app, exception):
    """Put the bundle where `mathjax_path` points, once the pages are written."""
    if exception is None and app.builder.format == "html":
        source = importlib.metadata.distribution(CARRIER).locate_file(
            f"{CARRIER}/static/mathjax/{BUNDLE}"
        )
        target = Path(app.outdir) / "_static" / "mathjax"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target / BUNDLE)


def setup(app):
    """Register with Sphinx."""
    app.config.mathjax_path = f"mathjax/{BUNDLE}"
    app.connect("build-finished", copy_bundle)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
