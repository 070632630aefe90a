"""The self-displaying figure, and the imports of the package."""

import importlib
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from convlab import plots


def test_a_drawing_displays_itself_and_leaves_nothing_in_pyplot():
    strip = plots.window_positions(4, 2)
    assert strip._repr_png_().startswith(b"\x89PNG")
    assert plt.get_fignums() == []


def test_as_text_it_is_the_list_of_what_is_written_in_it():
    drawn = plots.matrices({"image": np.arange(4).reshape(2, 2), "sum": np.array([[6]])})
    assert repr(drawn) == "<Drawing: image 0 1 2 3 | sum 6>"
    assert repr(plots.histogram(np.arange(9.0), {})) == "<Drawing>"


def test_the_package_does_not_import_pyplot():
    code = "import sys, convlab.plots; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_matplotlib_the_error_says_how_to_get_it(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("convlab.plots")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"convlab\.plots .*matplotlib.*: pip install"):
        importlib.import_module("convlab.plots")
