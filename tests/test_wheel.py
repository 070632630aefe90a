"""The package as it is installed: a source distribution, and a wheel with NumPy or PyTorch."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

import convlab

ROOT = Path(__file__).resolve().parents[1]
# The oldest NumPy that has a wheel for each supported Python.
OLDEST_NUMPY = {"3.10": "1.26.0", "3.11": "1.26.0", "3.12": "1.26.0", "3.13": "2.1.0"}

SMOKE_TEST = """
import doctest, importlib, pkgutil, sys
import numpy as np
import convlab
from convlab import data, ops, shapes

for extra in ("torch", "torchvision", "sklearn", "matplotlib", "scipy"):
    try:
        importlib.import_module(extra)
    except ImportError:
        continue
    sys.exit(f"{extra} is installed: this environment is not the one to test")

flags = doctest.NORMALIZE_WHITESPACE
names = [found.name for part in (shapes, ops, data)
         for found in pkgutil.walk_packages(part.__path__, part.__name__ + ".")]
results = [doctest.testmod(importlib.import_module(n), optionflags=flags) for n in names]
assert sum(r.attempted for r in results) > 100 and not any(r.failed for r in results), results

random = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    for mode in ops.PADDING_MODES:
        x = random.normal(size=(2, 4, 7, 6)).astype(dtype)
        w = random.normal(size=(8, 1, 3, 2)).astype(dtype)
        b = random.normal(size=8).astype(dtype)
        steps = {"padding": (1, 2), "dilation": (1, 2), "groups": 4, "padding_mode": mode}
        first, *others = [ops.conv2d(x, w, b, **steps, method=m) for m in ops.METHODS]
        for answer in (*others, ops.conv2d(x, w, b, **steps)):
            assert answer.dtype == dtype
            np.testing.assert_allclose(answer, first, rtol=1e-4, atol=1e-5)
        ops.conv2d_backward(first, x, w, **steps)
assert data.load("digits").train_images.shape == (1442, 1, 28, 28)
for part in ("init", "models", "nn", "plots", "summary", "training"):
    try:
        importlib.import_module(f"convlab.{part}")
    except ImportError as error:
        assert 'pip install "convlab-book[torch]"' in str(error)
    else:
        sys.exit(f"convlab.{part} was imported without what it needs")
print("NumPy", np.__version__)
"""


def run(*command, **options):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """Build the source distribution from a copy of the sources: it leaves files beside them."""
    source = tmp_path_factory.mktemp("sources")
    for name in ("convlab", "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, source)
    code = "from setuptools.build_meta import build_sdist; build_sdist('dist')"
    run(sys.executable, "-c", code, cwd=source)
    (built,) = (source / "dist").glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(sdist):
    """Build the wheel from the source distribution."""
    run(
        sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet",
        "--wheel-dir", sdist.parent, sdist,
    )  # fmt: skip
    (built,) = sdist.parent.glob("*.whl")
    return built


def test_the_source_distribution_holds_the_package_and_nothing_of_the_book(sdist):
    with tarfile.open(sdist) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    top = {name.partition("/")[0] for name in files}
    assert top - {"", "setup.cfg", "convlab_book.egg-info"} == {
        "convlab", "LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "pyproject.toml",
    }  # fmt: skip
    assert "convlab/data/digits.npz" in files


def test_the_wheel_holds_the_package_and_its_licence_only(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"convlab", "convlab_book"}
    assert "convlab/py.typed" in names
    assert "convlab/data/digits.npz" in names
    assert any(name.endswith("LICENSE") for name in names)
    packaged = {name for name in names if name.endswith(".py")}
    assert packaged == {p.relative_to(ROOT).as_posix() for p in (ROOT / "convlab").rglob("*.py")}


def test_the_metadata_say_what_is_supported(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
    lines = archive.read(name).decode().splitlines()
    assert "Name: convlab-book" in lines
    assert f"Version: {convlab.__version__}" in lines
    assert "Requires-Python: >=3.10" in lines
    assert [line for line in lines if line.startswith("Requires-Dist") and "extra" not in line] == [
        "Requires-Dist: numpy>=1.26"
    ]
    assert any("torch>=2.8" in line and 'extra == "torch"' in line for line in lines)


def other_pythons():
    """Find the supported Pythons on this machine, the running one first."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = {running: sys.executable}
    for version in OLDEST_NUMPY:
        program = shutil.which(f"python{version}")
        works = program and subprocess.run([program, "-c", "import venv"], capture_output=True,
                                           check=False).returncode == 0  # fmt: skip
        if works:
            found.setdefault(version, program)
    return found


@pytest.mark.parametrize(("version", "program"), other_pythons().items())
def test_it_runs_on_the_oldest_numpy_that_installs(wheel, tmp_path, version, program):
    environment = tmp_path / "environment"
    run(program, "-m", "venv", environment)
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    numpy = OLDEST_NUMPY.get(version, "")
    pip = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--only-binary", ":all:", f"numpy=={numpy}" if numpy else "numpy", str(wheel)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if pip.returncode and "No matching distribution" not in pip.stderr + pip.stdout:
        pytest.skip(f"no package index can be reached: {pip.stderr.splitlines()[-1:]}")
    assert pip.returncode == 0, pip.stderr
    output = run(python, "-W", "error", "-c", SMOKE_TEST, cwd=tmp_path)
    assert output.strip() == f"NumPy {numpy}" if numpy else output.startswith("NumPy")
    output = run(python.with_name("convlab"), "shapes", "224", "--kernel", "7", cwd=tmp_path)
    assert output.endswith("output 218x218\n")


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """Install the wheel into an empty environment that sees what it needs, and not the repository.

    PyTorch is taken from the environment of the tests. What that has in .pth files, such as the
    path of the repository, does not count there.
    """
    environment = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    folder = environment / ("Scripts" if sys.platform == "win32" else "bin")
    run(sys.executable, "-m", "pip", "--python", folder / "python", "install", "--quiet",
        "--no-deps", "--no-index", wheel)  # fmt: skip
    places = run(folder / "python", "-c", "import site; print(site.getsitepackages()[-1])").strip()
    shared = [path for path in sys.path if Path(path).name == "site-packages"]
    Path(places, "shared.pth").write_text("\n".join(shared), encoding="utf-8")
    return folder


def commands():
    """List the commands of the README as words, with `convlab` in front and one epoch at most."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    found = []
    for line in "".join(blocks).splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] in {"convlab", "torchrun"}:
            found.append(words + (["--epochs", "1"] if "train" in words else []))
    return found


def test_the_commands_of_the_readme_run_without_the_repository(programs, tmp_path):
    """Each does what it should: the call that `explain` gets is one that fails."""
    random = np.random.default_rng(0)
    for i in range(12):
        path = tmp_path / "pictures" / ("cat", "dog")[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.imsave(path, random.random((64, 64, 3)))
    image.imsave(tmp_path / "photo.jpg", random.random((64, 64, 3)))
    scripts = {
        "convlab": [programs / "convlab"],
        "torchrun": [programs / "python", "-m", "torch.distributed.run"],
    }
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HOME": str(tmp_path)}
    used = set()
    for program, *arguments in commands():
        done = subprocess.run(
            [str(word) for word in (*scripts[program], *arguments)], cwd=tmp_path, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == ("explain" in arguments), f"{arguments}\n{done.stderr}"
        assert done.stdout, arguments
        used.update(arguments)
    assert used >= {"shapes", "summary", "explain", "check"}


def test_check_works_without_the_repository(programs, tmp_path):
    answer = (
        "def output_size(n, k, s=1, p=0, d=1):\n    return (n + 2 * p - d * (k - 1) - 1) // s + 1\n"
    )
    (tmp_path / "answers.py").write_text(answer)
    environment = {**os.environ, "HOME": str(tmp_path)}
    output = run(programs / "convlab", "check", "answers.py", cwd=tmp_path, env=environment)
    assert "1 right, 0 not yet" in output


def test_its_version_is_that_of_the_metadata(programs, wheel, tmp_path):
    output = run(programs / "convlab", "--version", cwd=tmp_path)
    assert output.startswith(f"convlab {wheel.name.split('-')[1]}\nPython ")


DOCTESTS = """
import doctest, importlib, pkgutil, sys, warnings
import convlab
warnings.simplefilter("ignore")
assert "site-packages" in convlab.__file__, convlab.__file__
names = [found.name for found in pkgutil.walk_packages(convlab.__path__, "convlab.")]
modules = [importlib.import_module(n) for n in names if not n.endswith("__main__")]
results = [doctest.testmod(m, optionflags=doctest.NORMALIZE_WHITESPACE) for m in modules]
print(sum(r.failed for r in results), "of", sum(r.attempted for r in results), "failed")
"""


def test_the_examples_of_the_docstrings_run_without_the_repository(programs, tmp_path):
    output = run(programs / "python", "-c", DOCTESTS, cwd=tmp_path,
                 env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"})  # fmt: skip
    failed, count = re.fullmatch(r"(\d+) of (\d+) failed\n", output).groups()
    assert int(failed) == 0
    assert int(count) > 400
