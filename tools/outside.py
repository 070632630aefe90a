"""Run the notebooks where a reader does who has downloaded one: without the repository.

    python tools/outside.py                        # all notebooks
    python tools/outside.py -n 2 -k math           # arguments for pytest

Each notebook lies alone in a new folder, and its kernel imports `convlab` from the wheel, in an
environment that has this one's other packages. Outputs and figures are compared as in the
repository. `make portable` does this on an imitated older CPU.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("convlab", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


def copy_sources(folder):
    """Copy what the wheel is built from into a new folder, and return it."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def build_wheel(folder):
    """Build the wheel from a copy of the sources, and return its path."""
    source = copy_sources(folder / "source")
    code = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    command = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the wheel cannot be built:\n{done.stdout}{done.stderr}"
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_environment(folder):
    """Make a virtual environment with the packages of this one, but without `convlab`.

    They are symbolic links, pip included: pip finds them installed, and nothing finds the
    repository, which an editable installation adds to the path by a file. Nothing may be upgraded
    there. Returns the folder of its packages.
    """
    venv.create(folder, symlinks=True)
    packages = place("purelib", folder)
    for path in installed():
        (packages / path.name).symlink_to(path)
    return packages


def place(kind, environment):
    """Return a folder of a virtual environment: "purelib" of packages, "scripts" of programs."""
    paths = {"base": str(environment), "platbase": str(environment)}
    return Path(sysconfig.get_path(kind, "venv", paths))


def program(environment):
    """Return the path of the Python of a virtual environment."""
    return place("scripts", environment) / "python"


def installed():
    """Yield the files and folders of the installed packages, without those of `convlab`."""
    for folder in dict.fromkeys(path for path in sys.path if path.endswith("-packages")):
        for path in sorted(Path(folder).iterdir()):
            if path.suffix != ".pth" and "convlab" not in path.name and path.name != "__pycache__":
                yield path


def main(arguments):
    """Compare all notebooks with a run outside; return the exit code of pytest."""
    with tempfile.TemporaryDirectory(prefix="outside-") as name:
        folder = Path(name)
        wheel = build_wheel(folder / "wheel")
        packages = make_environment(folder / "environment")
        python = program(folder / "environment")
        zipfile.ZipFile(wheel).extractall(packages)
        code = "import convlab; print(convlab.__file__)"
        found = subprocess.run([python, "-c", code], cwd=name, capture_output=True, check=True)
        assert found.stdout.decode().startswith(str(packages)), found.stdout
        for path in (ROOT / "book").glob("*.ipynb"):
            alone = folder / "notebooks" / path.stem
            alone.mkdir(parents=True)
            shutil.copy(path, alone)
        command = [
            sys.executable, "-m", "pytest", "-c", "pyproject.toml", "--rootdir", str(ROOT),
            "-p", "book.conftest", "--nbval", "--nbval-current-env", "--dist", "loadfile",
            *arguments, str(folder / "notebooks"),
        ]  # fmt: skip
        environment = {**os.environ, "CONVLAB_KERNEL_PYTHON": str(python)}
        environment.pop("PYTHONPATH", None)
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
