"""The folder of the book and the names of its pages."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def toc_pages():
    """List the pages of the book in reading order, as paths inside the site."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [f"{name}.html" for name in [toc["root"], *chapters]]


def by_page(names):
    """Turn names of pages into parameters whose tests stay in one worker of pytest-xdist."""
    return [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in names]
