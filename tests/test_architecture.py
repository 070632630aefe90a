"""The rooms of the package: who may import whom."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import convlab

PACKAGE = Path(convlab.__file__).parent
# From the ground up. A module imports from rooms below its own, or from its own.
FLOORS = {
    "shapes": 0,
    "ops": 1,
    "plots": 2,
    "init": 3,
    "nn": 4,
    "models": 5,
    "data": 6,
    "training": 7,
    "summary": 8,
    "cli": 9,
    "__main__": 10,
}
NEEDS_TORCH = ["init", "nn", "models", "training", "summary"]


def room(module):
    """Name the room of a dotted module name, or None for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_run_downwards_only(path):
    here = room(".".join(("convlab", *path.relative_to(PACKAGE).with_suffix("").parts)))
    if here == "__init__":
        return  # the front door opens every room that needs NumPy alone
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            if name and name.startswith("convlab"):
                there = room(name)
                assert there in FLOORS, f"{path.name} imports {name}: name a room"
                assert there == here or FLOORS[there] < FLOORS[here], f"{here} imports {there}"


def test_the_light_rooms_load_neither_torch_nor_matplotlib():
    code = (
        "import sys, convlab, convlab.shapes, convlab.ops;"
        "print([m for m in ('torch', 'matplotlib', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("room", NEEDS_TORCH)
def test_without_torch_a_room_says_how_to_get_it(room):
    code = (
        "import sys, importlib; sys.modules['torch'] = None\n"
        f"try: importlib.import_module('convlab.{room}')\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("pip install torch"), done.stdout
    assert f"convlab.{room}" in done.stdout


def test_everything_that_a_room_exports_exists():
    for module in (convlab, convlab.shapes, convlab.ops):
        for name in module.__all__:
            assert hasattr(module, name)


def test_modules_stay_short():
    lengths = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: n for name, n in lengths.items() if n > 350} == {}
