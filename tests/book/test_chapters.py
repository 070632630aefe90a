"""Check what the chapters say about themselves, and what the book makes of it."""

import json
import re
import sys

import pytest
import yaml
from bs4 import SoupStrainer

from tests.book.book_files import ROOT, read_page

sys.path.append(str(ROOT / "book" / "_ext"))
import chapters

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
NUMBERED = {
    part["caption"]: [entry["file"].removeprefix("book/") for entry in part["chapters"]]
    for part in TOC["parts"]
    if "numbered" in part
}
CHAPTERS = {
    name: chapters.read_chapter(ROOT / "book" / f"{name}.ipynb")
    for names in NUMBERED.values()
    for name in names
}


def notebook(tmp_path, *cells):
    """Write a notebook of (type, source, tags) cells."""
    path = tmp_path / "one.ipynb"
    listed = [
        {"cell_type": kind, "source": source.splitlines(keepends=True), "metadata": metadata}
        for kind, source, metadata in cells
    ]
    path.write_text(json.dumps({"cells": listed}), encoding="utf-8")
    return path


def test_every_numbered_chapter_has_a_head():
    assert [name for name, chapter in CHAPTERS.items() if not chapter.is_chapter] == []


def test_a_chapter_needs_only_earlier_ones():
    names = list(CHAPTERS)
    for name, chapter in CHAPTERS.items():
        assert set(chapter.needs) <= set(names[: names.index(name)]), name


def test_the_chapters_for_engineers_are_marked_and_no_other():
    marked = {name for name, chapter in CHAPTERS.items() if chapter.engineers}
    assert marked == set(NUMBERED["For engineers"])


def test_minutes_grow_with_words_open_code_and_figures(tmp_path):
    opening = ("markdown", "# T\n\n:::{chapter-head}\n:needs: math\n:::", {})
    words = ("markdown", "word " * 1400, {})  # ten minutes
    code = ("code", "x = 1\n" * 100, {})  # five minutes
    folded = ("code", "x = 1\n" * 100, {"tags": ["hide-input"]})
    figures = [("code", "", {"mystnb": {"figure": {}}})] * 15  # five minutes
    for cells, minutes in [([words], 10), ([words, folded], 10), ([words, code, *figures], 20)]:
        path = notebook(tmp_path, opening, *cells)
        chapter = chapters.read_chapter(path)
        assert (chapter.minutes, chapter.needs, chapter.title) == (minutes, ("math",), "T")
        path.unlink()


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(5, "5 minutes"), (85, "85 minutes"), (90, "1½ hours"), (120, "2 hours"), (200, "3½ hours")],
)
def test_long_times_are_given_in_hours(minutes, text):
    assert chapters.duration(minutes) == text


def test_the_map_has_every_chapter_and_leads_to_it(site):
    page = read_page(site / "book" / "index.html", SoupStrainer(class_=re.compile("chapter-map")))
    links = [link["href"] for link in page.select(".chapter-map a")]
    assert links == [f"{name}.html" for name in CHAPTERS]
    arcs = len(page.select(".chapter-map svg > path"))
    assert len(CHAPTERS) - 1 <= arcs <= sum(len(chapter.needs) for chapter in CHAPTERS.values())


def test_the_cheat_sheets_repeat_every_chapter(site):
    page = read_page(site / "book" / "cheat-sheets.html")
    sheets = page.select(".cheat-sheet")
    assert len(sheets) == len(NUMBERED)
    for sheet, names in zip(sheets, NUMBERED.values(), strict=True):
        parts = sheet.select(".cheat-sheet-part")
        assert len(parts) == len(names)
        for part, name in zip(parts, names, strict=True):
            assert part.find("a")["href"] == f"{name}.html"
            own = read_page(site / "book" / f"{name}.html", SoupStrainer(id="remember"))
            points = [item.get_text() for item in own.select("section#remember li")]
            assert [item.get_text() for item in part.select("li")] == points
            assert points
