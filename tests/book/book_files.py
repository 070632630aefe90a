"""The folder of the book and the names of its pages."""

from pathlib import Path

import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[2]


def toc_pages():
    """List the pages of the book in reading order, as paths inside the site."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    files = [entry["file"] for one in chapters for entry in (one, *one.get("sections", ()))]
    return [f"{name}.html" for name in [toc["root"], *files]]


def read_page(path, only=None):
    """Parse a page of the built site, or the elements of it that a `SoupStrainer` lets through.

    A few elements take a third of the time of all.
    """
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser", parse_only=only)
