"""The layers of the package: who may import whom."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import convlab

PACKAGE = Path(convlab.__file__).parent
# Private modules below everything: they import nothing of the package, and every part may use them.
FOUNDATION = {"_files", "_model_state", "_require", "_validate"}
# What each part may import besides: a directed graph without circles. A part that does not need
# another one does not get an edge to it.
MAY_IMPORT = {
    "shapes": set(),
    "data": set(),
    "init": set(),
    "ops": {"shapes"},
    "nn": {"shapes", "ops", "init"},
    "models": {"shapes"},
    "plots": {"shapes", "ops"},
    "training": {"data", "plots"},
    "summary": {"shapes", "nn"},
    "results": set(),
    "explain": {"shapes"},
    "check": {"shapes"},
    "cli": {
        "__version__",
        "shapes",
        "data",
        "models",
        "training",
        "summary",
        "explain",
        "check",
    },
    "__main__": {"cli"},
}
NEEDS_TORCH = ["init", "nn", "models", "training", "summary", "explain"]


def imported_parts(path):
    """List the parts of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "convlab":
            names = [f"convlab.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "a relative import"]
        for name in names:
            if name.split(".")[0] == "convlab":
                yield name.split(".")[1] if "." in name else "the package itself"


def test_the_graph_has_no_circle():
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_module_imports_only_what_its_part_may(path):
    here = path.relative_to(PACKAGE).with_suffix("").parts[0]
    allowed = set() if here in FOUNDATION | {"__init__"} else MAY_IMPORT[here] | FOUNDATION | {here}
    assert set(imported_parts(path)) <= allowed


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("convlab", ("numpy", "torch", "matplotlib")),
        ("convlab.shapes", ("numpy", "torch", "matplotlib")),
        ("convlab.cli", ("numpy", "torch", "matplotlib")),
        ("convlab.ops", ("torch", "matplotlib", "scipy", "sklearn")),
        ("convlab.data", ("torch", "matplotlib", "scipy", "sklearn")),
    ],
)
def test_a_light_module_loads_nothing_heavy(module, absent):
    code = f"import sys, {module}; print([name for name in {absent} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("part", NEEDS_TORCH)
def test_without_torch_a_part_says_how_to_get_it(part):
    code = (
        "import sys, importlib; sys.modules['torch'] = None\n"
        f"try: importlib.import_module('convlab.{part}')\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        f'convlab.{part} needs PyTorch, which is not installed: pip install "convlab-book[torch]"\n'
    )


@pytest.mark.parametrize("name", convlab.__all__)
def test_everything_that_a_part_exports_exists(name):
    part = getattr(convlab, name)
    assert all(hasattr(part, exported) for exported in part.__all__)


def test_a_module_is_one_subject():
    lengths = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: n for name, n in lengths.items() if n > 600} == {}


def test_a_missing_module_that_is_not_optional_is_named_itself():
    from convlab._require import require

    with pytest.raises(ModuleNotFoundError, match=r"No module named 'convlab\.no_such_part'"):
        require("convlab.no_such_part", needed_by="convlab.plots")
