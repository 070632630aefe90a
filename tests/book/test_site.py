"""Check the built pages: every link has a target, every picture a description."""

import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup

from tests.book.book_files import ROOT, toc_pages


@pytest.fixture(scope="module")
def pages(site):
    """Parse every page of the site, the generated ones included."""
    found = {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.relative_to(site).parts
    }
    assert len(found) > len(toc_pages())
    return found


def test_the_root_leads_to_the_first_page(site):
    assert toc_pages()[0] in (site / "index.html").read_text(encoding="utf-8")


def test_every_local_link_and_fragment_arrives(pages, site):
    ids = {path: {tag["id"] for tag in soup.find_all(id=True)} for path, soup in pages.items()}
    missing = []
    for path, soup in pages.items():
        for tag in soup.find_all(["a", "link", "script", "img", "source", "iframe"]):
            url = urlsplit(tag.get("href") or tag.get("src") or "")
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


def test_every_address_of_the_first_edition_leads_on(pages, site):
    """A page or a section is still there, or `moved.js` says where it went."""
    book = site / "book"
    ids = {
        path.name: {tag["id"] for tag in soup.find_all(id=True)}
        for path, soup in pages.items()
        if path.parent == book
    }
    script = (site / "_static" / "moved.js").read_text(encoding="utf-8")
    moved = json.loads(re.search(r"const moved = (\{.*?\});", script, re.DOTALL)[1])

    def arrives(address):
        page, _, fragment = address.partition("#")
        return page in ids and (not fragment or fragment in ids[page])

    addresses = Path(__file__).with_name("addresses.txt").read_text(encoding="utf-8").split()
    assert len(addresses) > 800
    assert [old for old in addresses if not arrives(moved.get(old, old))] == []
    listed = yaml.safe_load((ROOT / "book" / "moved.yml").read_text(encoding="utf-8"))
    assert [old for old in listed if "#" in old and arrives(old)] == [], "not moved"


def test_every_drawing_function_shows_what_its_example_draws(pages, site):
    page = pages[site / "book" / "api-plots.html"]
    functions = page.select("dl.py.function")
    assert len(functions) > 20
    assert [entry.dt["id"] for entry in functions if not entry.select("figure img")] == []


def test_nothing_is_loaded_from_another_host(pages, site):
    loaded = [
        f"{path.relative_to(site)}: {tag}"
        for path, soup in pages.items()
        for tag in soup.find_all(["link", "script", "img", "source", "iframe"])
        if urlsplit(tag.get("href") or tag.get("src") or "").netloc
    ]
    assert not loaded


def test_no_id_occurs_twice_on_a_page(pages, site):
    repeated = [
        f"{path.relative_to(site)}: {name}"
        for path, soup in pages.items()
        for name, count in Counter(tag["id"] for tag in soup.find_all(id=True)).items()
        if count > 1
    ]
    assert not repeated


def test_every_picture_says_what_it_shows(pages, site):
    silent = [
        f"{path.relative_to(site)}: {tag.get('src')}"
        for path, soup in pages.items()
        for tag in soup.find_all("img")
        if len(tag.get("alt") or "") < 40 or (tag["alt"].endswith((".png", ".svg")))
    ]
    assert not silent


def test_every_drawing_stands_in_a_figure_with_a_caption(pages, site):
    bare = [
        f"{path.relative_to(site)}: {tag.get('src')}"
        for path, soup in pages.items()
        for tag in soup.select(".cell_output img")
        if tag.find_parent("figure") is None
        or not tag.find_parent("figure").find("figcaption").get_text(strip=True)
    ]
    assert not bare
