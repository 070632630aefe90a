"""Run the tests of the package with the oldest and the newest versions that it supports.

    python tools/matrix.py                       # both
    python tools/matrix.py oldest                # one of them
    python tools/matrix.py oldest-3.12           # with another Python
    python tools/matrix.py newest tests/nn -x    # further arguments replace those for pytest

`oldest` is the first supported Python with the lowest versions that pyproject.toml allows and that
have wheels, `newest` the last one with the newest versions. The environments are in .matrix, about
6 GB each on Linux; delete a folder there to make it anew. uv makes them. It uses a Python of that
version if one is on PATH and downloads one otherwise.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".matrix"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = [
    version
    for name in PROJECT["classifiers"]
    if (version := name.rpartition(" :: ")[2]) and re.fullmatch(r"3\.\d+", version)
]
# The Python, and how uv resolves the requirements of the package.
ENVIRONMENTS = {"oldest": (PYTHONS[0], "lowest-direct"), "newest": (PYTHONS[-1], "highest")}
NAME = re.compile(r"(oldest|newest)(-3\.\d+)?")
TEST_PACKAGES = [
    "pytest", "pytest-xdist", "hypothesis", "setuptools", "scipy", "scikit-learn", "jax", "keras",
    "onnx", "ipykernel",
]  # fmt: skip
PARTS = ("shapes", "ops", "nn", "init", "models", "plots", "summary", "data", "cli", "training",
         "explain", "check", "results")  # fmt: skip
PYTEST = [
    "-q", "-n", "1", "--dist", "loadfile", "convlab", *(f"tests/{part}" for part in PARTS),
    # Minutes of kills and of processes that wait for each other.
    "--ignore=tests/training/test_resume.py", "--ignore=tests/training/test_distributed.py",
]  # fmt: skip

WARNINGS = {
    # Old libraries call deprecated functions of newer ones, as matplotlib 3.8 of pyparsing.
    "oldest": ["-W", "ignore::DeprecationWarning"],
    # PyTorch warns of Python 3.13.0.
    "newest": ["-W", "ignore:Guards may run slower:RuntimeWarning"],
}


def program(environment: Path, name: str) -> Path:
    """Return the path of a program of a virtual environment."""
    windows = sys.platform == "win32"
    return environment / ("Scripts" if windows else "bin") / (f"{name}.exe" if windows else name)


def run(*command: str | Path, check: bool = True) -> int:
    """Run a command in the repository, and return its exit code."""
    print("+", *command, flush=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=check).returncode


def prepare(environment: Path, version: str, resolution: str) -> Path:
    """Make an environment unless it is complete, list what is in it, and return its Python."""
    python, ready = program(environment, "python"), environment / "ready"
    uv = program(FOLDER / "uv", "uv")
    if not uv.exists():
        run(sys.executable, "-m", "venv", FOLDER / "uv")
        run(program(FOLDER / "uv", "python"), "-m", "pip", "install", "--quiet", "uv")
    if not ready.exists():
        run(uv, "venv", "--quiet", "--clear", "--python", version, environment)
        install = (uv, "pip", "install", "--quiet", "--python", python)
        # Old versions are not compiled: a newer Python gets the oldest that have wheels for it.
        wheels = ("--only-binary", "numpy", "--only-binary", "matplotlib")
        run(*install, *wheels, "--resolution", resolution, "--editable", ".[torch]")
        chosen = subprocess.run(
            [uv, "pip", "freeze", "--exclude-editable", "--python", python],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        constraints = environment / "constraints.txt"
        constraints.write_text(chosen, encoding="utf-8")
        run(*install, "--constraints", constraints, *TEST_PACKAGES)
        ready.touch()
    run(uv, "pip", "list", "--python", python)
    return python


def main(arguments: list[str]) -> int:
    """Test the environments that the first arguments name, or all."""
    names = []
    while arguments and NAME.fullmatch(arguments[0]):
        names.append(arguments.pop(0))
    failed = []
    for name in names or ENVIRONMENTS:
        kind, _, python_version = name.partition("-")
        version, resolution = ENVIRONMENTS[kind]
        python = prepare(FOLDER / name, python_version or version, resolution)
        if run(python, "-m", "pytest", *WARNINGS[kind], *(arguments or PYTEST), check=False):
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
