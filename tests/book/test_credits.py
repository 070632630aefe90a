"""What others made is credited, and every page links the credits and the errata."""

import json
import re
import subprocess
from fnmatch import fnmatch

import pytest
import yaml
from bs4 import BeautifulSoup, SoupStrainer

from tests.book.book_files import ROOT

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "book" / "credits.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\|[^|]*\|[^|]*\|[^|]*\|[^|]*\|$", line)
    and not line.startswith(("| what ", "|---"))
]
# Patterns of the files in each row, in the repository or, with _static, in the site.
FILES = {what: re.findall(r"`([^`]+)`", where) for what, where, _author, _licence in ROWS}
PATTERNS = [pattern for patterns in FILES.values() for pattern in patterns]
LICENCE_TEXT = "vendor/Apache-2.0.txt"  # MathJax's


def is_credited(name):
    return any(fnmatch(name, pattern) for pattern in PATTERNS)


def test_every_row_says_who_made_it_and_what_is_allowed():
    assert len(ROWS) > 15
    for what, _where, author, licence in ROWS:
        assert len(author) > 5, what
        assert re.search(r"\bMIT\b|BSD|Apache|CC BY|no images", licence), what


def tracked_files():
    """List the files of the repository, or skip the test outside of a clone."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a clone: git does not list the files")
    return done.stdout.decode().rstrip("\0").split("\0")


def test_every_file_of_the_repository_that_is_no_text_of_ours_is_credited():
    """Pictures, fonts and archives, all of `vendor`, and whatever else is not UTF-8."""
    found = []
    for path in map(ROOT.joinpath, tracked_files()):
        name = path.relative_to(ROOT).as_posix()
        try:
            path.read_text(encoding="utf-8")
            is_binary = False
        except UnicodeDecodeError:
            is_binary = True
        if is_binary or "vendor" in path.parts or path.suffix in {".svg", ".eps", ".pdf"}:
            found.append(name.replace("book/_static/vendor", "_static/vendor"))
    ours = {"book/_static/favicon.svg", "book/explorer.png", f"_static/{LICENCE_TEXT}"}
    assert "convlab/data/digits.npz" in found
    assert [name for name in found if name not in ours and not is_credited(name)] == []


def test_every_file_of_the_site_that_is_not_ours_is_credited(site):
    static = site / "_static"
    # Written by extensions in book/_ext, from what is ours or credited.
    written = (
        "drawings/*",
        "licences/*",
        "moved.js",
        "moved-table.js",
        "sections.js",
        LICENCE_TEXT,
    )
    source = ROOT / "book" / "_static"
    ours = {path.relative_to(source) for path in source.rglob("*") if "vendor" not in path.parts}
    unknown = []
    for path in sorted(path for path in static.rglob("*") if path.is_file()):
        name = path.relative_to(static)
        if name in ours or any(fnmatch(name.as_posix(), pattern) for pattern in written):
            continue
        if not is_credited(f"_static/{name.as_posix()}"):
            unknown.append(str(name))
    assert unknown == []


@pytest.mark.parametrize("what", FILES)
def test_a_credited_file_exists_and_has_the_version_that_is_named(site, what):
    found = []
    for pattern in FILES[what]:
        base = site if pattern.startswith("_static/") else ROOT
        matching = [path for path in base.glob(pattern) if path.is_file()]
        assert matching or list(base.glob(f"{pattern}/*")), pattern
        found += matching
    for version in re.findall(r"\b\d+\.\d+\.\d+\b", what):
        sources = [path for path in found if path.suffix in {".js", ".py", ".txt"}]
        texts = (path.read_text(encoding="utf-8") for path in sources)
        assert any(version in text for text in texts), f"{what}: no file has {version}"


NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_names_the_photographers_of_its_photographs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text, code = [], []
    for cell in cells:
        (code if cell["cell_type"] == "code" else text).append("".join(cell["source"]))
        text.append(cell["metadata"].get("mystnb", {}).get("figure", {}).get("caption", ""))
    calls = re.findall(r"load_sample_image(s?)\(([^)]*)\)", "\n".join(code))
    photographers = {'"china.jpg"': "danielbuechele", '"flower.jpg"': "vultilion"}
    names = {name for several, name in calls if not several}
    if any(several for several, _ in calls):
        names |= set(photographers)
    for name in names:
        credit = rf"{photographers[name]}(?: and \w+)?, CC BY 2\.0"
        assert re.search(credit, "\n".join(text)), f"{name} is not credited"


def test_the_foot_of_every_page_links_errata_and_credits(site):
    """And the issue tracker, if and only if the repository is set."""
    repository = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    tracker = [f"{repository['url'].rstrip('/')}/issues"] if repository["url"] else []
    foot, book = SoupStrainer(class_="component-feedback"), site.resolve() / "book"
    count = 0
    for path in sorted(site.resolve().rglob("*.html")):
        page = path.read_text(encoding="utf-8")
        if "<article" not in page:  # it leads to another page, or is a part of the theme
            continue
        tags = BeautifulSoup(page, "html.parser", parse_only=foot).find_all("a")
        links = [path.name if tag["href"] == "#" else tag["href"] for tag in tags]
        arrivals = [(path.parent / link).resolve() for link in links[:2]]
        assert arrivals == [book / "errata.html", book / "credits.html"], path
        assert links[2:] == tracker, path
        count += 1
    assert count > 100
