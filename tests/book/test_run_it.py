"""Readers run the notebooks elsewhere: the buttons, the first cell, and what a notebook needs."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from bs4 import SoupStrainer
from packaging.requirements import Requirement

import convlab
from convlab.results import FILES
from tests.book.book_files import ROOT, read_page
from tools.included_code import PIECE, renew
from tools.outside import build_wheel, copy_sources, make_environment, program
from tools.setup_cells import ID, expected_source, write

sys.path.append(str(ROOT / "book" / "_ext"))
from run_it import BINDER, COLAB, setup_source

NOTEBOOKS = sorted((ROOT / "book").rglob("*.ipynb"))
URL = "https://github.com/owner/name"
PROJECT = "convlab-book"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_the_cell_that_installs(path):
    first = read(path)["cells"][0]
    assert source(first) == expected_source(), "run tools/setup_cells.py"
    assert (first["id"], first["metadata"]) == (ID, {"tags": ["remove-cell"]})
    assert (first["execution_count"], first["outputs"]) == (1, [])


def test_the_tool_renews_the_cell_and_counts_it_once():
    cells = [{"cell_type": "code", "id": "a", "execution_count": 1, "metadata": {}}]
    notebook = {"cells": [{"cell_type": "markdown", "id": "b"}, *cells]}
    write(notebook, "x = 1\ny = 2")
    write(notebook, "x = 3\ny = 4")
    assert [cell.get("execution_count") for cell in notebook["cells"]] == [1, None, 2]
    assert notebook["cells"][0]["source"] == ["x = 3\n", "y = 4"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_of_the_package_in_the_text_is_that_of_the_package(path):
    for cell in read(path)["cells"]:
        if cell["cell_type"] == "markdown":
            text = source(cell)
            assert renew(text) == text, "run tools/included_code.py"
            assert len(PIECE.findall(text)) == text.count("<!-- code from")
            assert "literalinclude" not in text, "other programs than Sphinx do not show it"


def test_a_piece_of_code_is_renewed():
    comment = "<!-- code from convlab/shapes/__init__.py\nlines: 1\n-->\n"
    first = (ROOT / "convlab/shapes/__init__.py").read_text(encoding="utf-8").splitlines()[0]
    text = f"One.\n\n{comment}```python\nold\n\nolder\n```\n\nTwo."
    assert renew(text) == f"One.\n\n{comment}```python\n{first}\n```\n\nTwo."


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_of_the_format_that_jupyter_and_colab_read(path):
    """Valid, as test_notebooks.py checks, and without what only one program understands."""
    notebook = read(path)
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert all(len(cell["id"]) <= 64 for cell in notebook["cells"])


def imported_modules(path):
    for cell in read(path)["cells"]:
        if cell["cell_type"] == "code":
            for node in ast.walk(ast.parse(source(cell))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    yield node.module.partition(".")[0]


def test_the_first_cell_asks_for_all_that_the_notebooks_import():
    modules = {name for path in NOTEBOOKS for name in imported_modules(path)}
    modules -= {*sys.stdlib_module_names, "convlab"}
    providers = packages_distributions()
    distributions = {name.lower() for module in modules for name in providers[module]}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = dict(re.findall(r"^(dependencies|torch|book) = (\[.*\])", project, re.MULTILINE))
    asked = {Requirement(text).name for value in lists.values() for text in ast.literal_eval(value)}
    assert len(lists) == 3
    assert distributions == asked - {PROJECT, "matplotlib", "tqdm"}  # which the package imports
    pins = (ROOT / "requirements.in").read_text(encoding="utf-8")
    assert all(re.search(rf"^{name}\b", pins, re.M) for name in asked - {PROJECT, "pillow"})


SETTINGS = [(URL, "main", True), ("", "main", True), (URL, "0123abc", False), ("", "main", False)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_cell_says_what_it_does_and_does_nothing_where_the_package_is(settings, capsys):
    text = setup_source(*settings)
    lines = text.splitlines()
    assert lines[0].startswith(f"# {'Install' if any(settings[::2]) else 'Stop'}")
    assert f"convlab {convlab.__version__}" in lines[0]
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 79
    names = {}
    exec(text, names)
    assert set(names) - {"__builtins__"} == {"installed"}
    assert capsys.readouterr() == ("", "")


def test_the_cell_names_the_package_or_the_repository():
    assert '"convlab-book[book]"\n               "==1.2"' in setup_source(URL, "a", True, "1.2")
    for url in (URL, f"{URL}/"):
        assert f'" @ git+{URL}@1f2e"' in setup_source(url, "1f2e", False, "1.2")


def test_without_both_the_cell_says_what_to_do():
    with pytest.raises(ImportError, match=r"needs convlab 99\.0: run  pip install \"\.\[book\]\""):
        exec(setup_source("", "main", False, "99.0"), {})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(tmp_path_factory.mktemp("wheel") / "built")


def test_the_wheel_holds_what_the_cells_read(wheel):
    stored = {path.relative_to(ROOT).as_posix() for path in FILES.rglob("*") if path.is_file()}
    assert len(stored) > 10
    assert stored <= set(zipfile.ZipFile(wheel).namelist())


RUN = "import sys; exec(sys.argv[1]); import convlab; print(convlab.__file__, convlab.__version__)"


def run_cell(folder, text, **variables):
    """Run a first cell in an environment without the package; return what is imported then."""
    python = program(folder / "environment")
    allowed = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    done = subprocess.run(
        [python, "-c", RUN, text], cwd=folder, capture_output=True, text=True, check=False,
        env={**allowed, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="links to packages need an administrator there")
@pytest.mark.parametrize("other", [False, True])
def test_the_cell_installs_from_the_index(wheel, tmp_path, other):
    """Also where another project of that name, or another version, is installed."""
    packages = make_environment(tmp_path / "environment")
    if other:
        (packages / "convlab").mkdir()
        (packages / "convlab" / "__init__.py").write_text('__version__ = "99.0"\n')
    text = setup_source("", "main", True)
    expected = [str(packages / "convlab" / "__init__.py"), convlab.__version__]
    assert run_cell(tmp_path, text, PIP_FIND_LINKS=str(wheel.parent)) == expected
    assert run_cell(tmp_path, text) == expected  # nothing to install


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="links to packages need an administrator there")
def test_the_cell_installs_from_a_commit_of_the_repository(tmp_path):
    repository = copy_sources(tmp_path / "repository")
    commit = commit_all(repository)
    packages = make_environment(tmp_path / "environment")
    found = run_cell(
        tmp_path, setup_source(URL, commit, False), PIP_NO_BUILD_ISOLATION="0",
        GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0=f"url.{repository.as_uri()}.insteadOf",
        GIT_CONFIG_VALUE_0=URL,
    )  # fmt: skip
    assert found == [str(packages / "convlab" / "__init__.py"), convlab.__version__]


def commit_all(folder):
    """Make a git repository of a folder, and return its commit."""

    def git(*arguments):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "all")
    return git("rev-parse", "HEAD")


def build_one_page(folder, url):
    """Build a site of one chapter with the book's settings; return the folder of its files."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["repository"]["url"] = url
    own = config["sphinx"]["local_extensions"]
    config["sphinx"] = {
        "local_extensions": {"run_it": str(ROOT / "book" / "_ext")},
        "config": {
            "extensions": [
                name for name in config["sphinx"]["config"]["extensions"]
                if name == "run_it" or name not in {*own, "sphinxcontrib.bibtex"}
            ],
            "on_package_index": False,
        },
        "recursive_update": True,
    }  # fmt: skip
    config.pop("bibtex_bibfiles")
    config["html"].pop("favicon")
    (folder / "book").mkdir(parents=True)
    (folder / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/one\n", encoding="utf-8")
    text = {"cell_type": "markdown", "id": "text", "metadata": {}, "source": ["# One"]}
    notebook = read(ROOT / "book" / "start.ipynb") | {"cells": [text]}
    write(notebook, setup_source(url, config["repository"]["branch"], False))
    (folder / "book" / "one.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    commit = commit_all(folder)
    command = shutil.which("jupyter-book", path=Path(sys.executable).parent)
    done = subprocess.run(
        [command, "build", "-W", "-n", "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build" / "html", commit


def links(site):
    page = read_page(site / "book" / "one.html")
    return [link["href"] for link in page.select("a[href]") if "://" in link["href"]], page


@pytest.mark.slow
def test_with_a_repository_there_are_both_buttons_and_the_download_names_the_commit(tmp_path):
    site, commit = build_one_page(tmp_path, URL)
    _, page = links(site)
    buttons = page.select(".dropdown-launch-buttons a")
    assert {button.get_text().strip(): button["href"] for button in buttons} == {
        "Open in Colab": f"{COLAB}/github/owner/name/blob/main/book/one.ipynb",
        "Open in Binder": f"{BINDER}/v2/gh/owner/name/main?urlpath=lab/tree/book/one.ipynb",
    }
    assert "git+" not in page.get_text()
    first = source(read(site / "_sources" / "book" / "one.ipynb")["cells"][0])
    assert first == setup_source(URL, commit, False)


@pytest.mark.slow
def test_colab_is_offered_for_github_only(tmp_path):
    site, _ = build_one_page(tmp_path, "https://gitlab.com/owner/name")
    (button,) = links(site)[1].select(".dropdown-launch-buttons a")
    assert button["href"].startswith(f"{BINDER}/v2/gl/owner%2Fname/main?")


@pytest.mark.slow
def test_without_a_repository_there_is_no_button(tmp_path):
    site, _ = build_one_page(tmp_path, "")
    addresses, page = links(site)
    assert not [link for link in addresses if re.search("colab|binder|github.com", link)]
    assert not page.select(".dropdown-launch-buttons")
    first = source(read(site / "_sources" / "book" / "one.ipynb")["cells"][0])
    assert first == setup_source("", "main", False)


def test_the_site_offers_the_notebooks_of_the_repository(site):
    """So those that tools/outside.py runs are those that readers download."""
    for path in NOTEBOOKS:
        button = SoupStrainer("a", class_=re.compile("btn-download-source-button"))
        (link,) = read_page(site / "book" / f"{path.stem}.html", button).select("a")
        offered = read((site / "book" / link["href"]).resolve())
        stored = read(path)
        assert offered["cells"][0]["id"] == ID
        if source(offered["cells"][0]) != source(stored["cells"][0]):  # it may name the commit
            assert "git+" in source(stored["cells"][0])
            offered["cells"][0]["source"] = stored["cells"][0]["source"]
        assert offered == stored


def test_binder_installs_the_package_and_the_tested_versions():
    folder = ROOT / "binder"
    assert {path.name for path in folder.iterdir()} == {
        "runtime.txt", "requirements.txt", "postBuild",
    }  # fmt: skip
    script = folder / "postBuild"
    assert os.access(script, os.X_OK)
    assert (folder / "runtime.txt").read_text().strip() == "python-3.11"
    text = script.read_text(encoding="utf-8")
    assert '".[book]"' in text
    assert "--torch-backend=cpu" in text
    if shell := shutil.which("sh"):
        subprocess.run([shell, "-n", script], check=True)
