"""The files that describe a release: they agree with the package and with each other."""

import re
from datetime import date
from pathlib import Path

import tomllib
import yaml

import convlab

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


def releases():
    """Map the versions in the changelog to their dates, the newest first."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", text, re.MULTILINE))


def test_the_citation_agrees_with_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation.pop("cff-version") == "1.2.0"
    assert CONFIG["title"] in citation.pop("title")
    assert citation.pop("message")
    assert len(citation.pop("abstract").split()) > 20
    expected = {
        "type": "software",
        "authors": PROJECT["authors"],
        "version": convlab.__version__,
        "license": PROJECT["license"].split(" AND "),
        "keywords": PROJECT["keywords"],
    }
    if CONFIG["repository"]["url"]:
        expected["repository-code"] = CONFIG["repository"]["url"]
    if convlab.__version__ in releases():
        expected["date-released"] = date.fromisoformat(releases()[convlab.__version__])
    assert citation == expected


def test_the_changelog_has_the_form_of_keep_a_changelog():
    lines = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    versions = [line for line in lines if line.startswith("## ")]
    assert versions[0] == "## [Unreleased]"
    for line in versions[1:]:
        name, _, day = line.removeprefix("## ").partition(" - ")
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\]|First edition", name)
        date.fromisoformat(day)
    kinds = {line.removeprefix("### ") for line in lines if line.startswith("### ")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert list(releases().values()) == sorted(releases().values(), reverse=True)
