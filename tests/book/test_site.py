"""Check the built pages: every link has a target, every picture a description."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import SoupStrainer

from tests.book.book_files import ROOT, read_page, toc_pages


class Tags(HTMLParser):
    """List the start tags of a page as (name, attributes): a tree would take four times as long."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


@pytest.fixture(scope="module")
def pages(site):
    """List the tags of every page of the site, the generated ones included."""
    found = {
        path: Tags(path.read_text(encoding="utf-8")).tags
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.relative_to(site).parts
    }
    assert len(found) > len(toc_pages())
    return found


@pytest.fixture(scope="module")
def ids(pages):
    """Count the ids of every page."""
    return {
        path: Counter(attributes["id"] for _, attributes in tags if "id" in attributes)
        for path, tags in pages.items()
    }


def loaded_and_linked(tags, names):
    """List the addresses in the tags of these names."""
    return [one.get("href") or one.get("src") or "" for name, one in tags if name in names]


LOADING = {"link", "script", "img", "source", "iframe"}


def test_the_root_leads_to_the_first_page(site):
    assert toc_pages()[0] in (site / "index.html").read_text(encoding="utf-8")


def test_every_local_link_and_fragment_arrives(pages, ids, site):
    missing = []
    for path, tags in pages.items():
        for address in loaded_and_linked(tags, LOADING | {"a"}):
            url = urlsplit(address)
            if url.scheme or url.netloc:
                continue
            if url.path == "explorer.html" and "=" in url.fragment:  # a setting, not a place
                url = url._replace(fragment="")
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            target = target / "index.html" if target.is_dir() else target
            arrives = target.is_file() and (
                not url.fragment or target not in ids or unquote(url.fragment) in ids[target]
            )
            if not arrives:
                missing.append(f"{path.relative_to(site)}: {url.geturl()}")
    assert not missing


def test_every_address_of_the_first_edition_leads_on(ids, site):
    """A page or a section is still there, or `moved-table.js` says where it went."""
    ids = {path.name: found for path, found in ids.items() if path.parent == site / "book"}
    script = (site / "_static" / "moved-table.js").read_text(encoding="utf-8")
    moved = json.loads(script.removeprefix("window.MOVED = ").removesuffix(";\n"))

    def arrives(address):
        page, _, fragment = address.partition("#")
        return page in ids and (not fragment or fragment in ids[page])

    addresses = Path(__file__).with_name("addresses.txt").read_text(encoding="utf-8").split()
    assert len(addresses) > 800
    assert [old for old in addresses if not arrives(moved.get(old, old))] == []
    listed = yaml.safe_load((ROOT / "book" / "moved.yml").read_text(encoding="utf-8"))
    assert [old for old in listed if "#" in old and arrives(old)] == [], "not moved"


def test_every_drawing_function_shows_what_its_example_draws(site):
    page = read_page(site / "book" / "api-plots.html")
    functions = page.select("dl.py.function")
    assert len(functions) > 20
    assert [entry.dt["id"] for entry in functions if not entry.select("figure img")] == []


def test_nothing_is_loaded_from_another_host(pages, site):
    loaded = [
        f"{path.relative_to(site)}: {address}"
        for path, tags in pages.items()
        for address in loaded_and_linked(tags, LOADING)
        if urlsplit(address).netloc
    ]
    assert not loaded


def test_no_id_occurs_twice_on_a_page(ids, site):
    repeated = [
        f"{path.relative_to(site)}: {name}"
        for path, counts in ids.items()
        for name, count in counts.items()
        if count > 1
    ]
    assert not repeated


def test_every_picture_says_what_it_shows(pages, site):
    silent = [
        f"{path.relative_to(site)}: {one.get('src')}"
        for path, tags in pages.items()
        for name, one in tags
        if name == "img" and (len(one.get("alt", "")) < 40 or one["alt"].endswith((".png", ".svg")))
    ]
    assert not silent


def test_every_drawing_stands_in_a_figure_with_a_caption(pages, site):
    outputs = SoupStrainer(class_=re.compile("cell_output"))
    drawings = {
        path: read_page(path, outputs).select(".cell_output img")
        for path, tags in pages.items()
        if any("cell_output" in one.get("class", "") for _, one in tags)
    }
    assert sum(map(len, drawings.values())) > 50
    bare = [
        f"{path.relative_to(site)}: {tag.get('src')}"
        for path, tags in drawings.items()
        for tag in tags
        if tag.find_parent("figure") is None
        or not tag.find_parent("figure").find("figcaption").get_text(strip=True)
    ]
    assert not bare
