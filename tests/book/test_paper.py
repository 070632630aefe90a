"""The PDF of the whole book: everything is in it, legible, linked, and inside the margins."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest
from bs4 import BeautifulSoup

from convlab.check import EXERCISES
from tests.book.book_files import ROOT, read_page, toc_pages
from tools.paper.document import Page, Targets, read_pages
from tools.paper.printing import NoBrowser, find_chromium

CHINESE = re.compile("[\u4e00-\u9fff]+")
MILLIMETRE = 72 / 25.4
LOWER, UPPER = 18 * MILLIMETRE, 277 * MILLIMETRE  # what lies between is the text of a page
LARGEST = 25e6  # bytes: what most mail servers let through


def run(*arguments, **environment):
    """Run the command that prints the book."""
    return subprocess.run(
        [sys.executable, "-m", "tools.paper", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def printed(site, make_once):
    """Print the book; give the path of the PDF."""
    try:
        find_chromium()
    except NoBrowser as missing:
        pytest.skip(str(missing))

    def fill(folder):
        # A process of its own: Playwright may have been started in this one.
        done = run(site, folder / "book.pdf")
        assert done.returncode == 0, done.stderr
        assert not done.stderr

    return make_once("paper", fill) / "book.pdf"


@pytest.fixture(scope="module")
def document(printed):
    with pikepdf.open(printed) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(site):
    return read_pages(site)


def plain(text):
    """Return a text without what print changes: spaces, hyphens and quotes."""
    straight = text.translate(str.maketrans("\u2018\u2019\u201c\u201d", "''\"\""))
    return re.sub(r"[\s\ufffe\u00ad\u200b]", "", straight)


@pytest.fixture(scope="module")
def texts(printed):
    """List the texts of the pages between header and footer, without spaces."""
    pdf = pypdfium2.PdfDocument(printed)
    found = [plain(page.get_textpage().get_text_bounded(bottom=LOWER, top=UPPER)) for page in pdf]
    pdf.close()
    return found


@pytest.fixture(scope="module")
def places(document):
    """Map each anchor to its page, from 0, and its distance from the lower edge, in points."""
    numbers = {page.objgen: at for at, page in enumerate(document.pages)}
    return {
        name.removeprefix("/"): (numbers[place[0].objgen], float(place[3]))
        for name, place in document.Root.Dests.items()
    }


def outline(document):
    """List the titles of the outline in their order, each with its depth."""

    def below(items, depth):
        for item in items:
            yield depth, item.title
            yield from below(item.children, depth + 1)

    with document.open_outline() as root:
        return list(below(root.root, 0))


def test_every_page_of_the_site_begins_a_page_with_its_title(pages, places, texts):
    starts = [places[page.anchor][0] for page in pages]
    assert starts == sorted(set(starts))
    for page, start in zip(pages, starts, strict=True):
        assert plain(page.heading.rstrip("#")) in texts[start], page.name


def test_the_outline_has_all_headings_in_their_order(site, pages, document):
    titles = [plain(title) for _, title in outline(document)]
    wanted = []
    for _, group in itertools.groupby(pages, lambda page: page.part):
        for at, page in enumerate(group):
            wanted += [page.part] * (at == 0 and bool(page.part))
            for heading in page.article.find_all(["h1", "h2", "h3"]):
                wanted.append(heading.get_text().removesuffix("#"))
    rest = iter(titles)
    assert [title for title in map(plain, wanted) if title not in rest] == []


def test_chapters_are_below_their_part_in_the_outline(pages, document):
    entries = [(depth, plain(title)) for depth, title in outline(document)]
    for page in pages[1:]:
        at = entries.index((page.level, plain(page.heading.rstrip("#"))))
        parents = [title for depth, title in entries[:at] if depth == 0]
        assert parents[-1] == plain(page.part)


def test_the_numbers_of_the_contents_are_those_of_the_pages(pages, places, texts):
    contents = "".join(texts[1 : places[pages[0].anchor][0]])
    for page in pages:
        number = places[page.anchor][0] + 1
        assert f"{plain(page.heading.rstrip('#'))}{number}" in contents, page.name


def test_the_numbers_of_the_index_are_those_of_the_pages(places, texts):
    index = "".join(texts[places["paper-index"][0] :])
    terms = [name for name in places if name.startswith("term-")]
    assert len(terms) > 50
    for term in ("im2col", "receptive field", "depthwise convolution"):
        number = places[f"term-{term.replace(' ', '-')}"][0] + 1
        entry = re.search(rf"(?<![a-z]){plain(term)}(?P<numbers>(,\d+)+)", index)
        assert str(number) in entry["numbers"].split(",")


def test_above_a_page_is_its_chapter_and_below_its_number(printed, pages):
    titles = {"", *(plain(page.heading.rstrip("#")) for page in pages)}
    pdf = pypdfium2.PdfDocument(printed)
    for number, page in enumerate(pdf, start=1):
        text = page.get_textpage()
        below = text.get_text_bounded(bottom=0, top=LOWER)
        above = text.get_text_bounded(bottom=UPPER, top=page.get_height())
        assert below.strip() == ("" if number == 1 else str(number))
        assert plain(above) in titles
    pdf.close()


def links(document):
    return [
        link
        for page in document.pages
        for link in page.get("/Annots", ())
        if link.get("/Subtype") == "/Link"
    ]


def test_every_link_inside_leads_somewhere(document):
    names = set(document.Root.Dests.keys())
    targets = [str(link.Dest) for link in links(document) if "/Dest" in link]
    assert len(targets) > 1000
    assert set(targets) <= names


def test_links_outside_are_on_the_web(document):
    addresses = {str(link.A.URI) for link in links(document) if "/A" in link}
    assert addresses
    assert [one for one in addresses if not re.match(r"https?://[\w-]+(\.[\w-]+)+/", one)] == []
    assert [one for one in addresses if "book.invalid" in one] == []


def test_nothing_tells_of_the_machine_or_of_a_fault(printed, texts, document):
    whole = "".join(texts)
    for word in ("unknownnode", "needsJavaScript", "file://", "book.invalid", str(ROOT)):
        assert word not in whole
    assert not re.search(r"page000(?!\d)", whole), "a page number was not filled in"
    strings = [str(value) for value in document.docinfo.values()]
    assert not any("/" in text and Path(text).exists() for text in strings)


def test_chinese_terms_can_be_read(pages, places, texts):
    glossary = next(page for page in pages if page.name == "book/glossary")
    start = places[glossary.anchor][0]
    printed = "".join(texts[start : places["page-references"][0]])
    terms = CHINESE.findall(glossary.article.get_text())
    assert len(terms) > 50
    assert [term for term in terms if term not in printed] == []


def test_all_fonts_are_embedded(document):
    fonts = [item for item in document.objects if is_dictionary(item, "/Font")]
    assert fonts
    for font in fonts:
        if font.Subtype == "/Type3":  # its glyphs are drawings in the file
            assert font.CharProcs
        elif font.Subtype != "/Type0":  # a Type0 font refers to another one
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(font.FontDescriptor.keys())


def is_dictionary(item, type):
    return isinstance(item, pikepdf.Dictionary) and item.get("/Type") == type


def test_nothing_reaches_into_the_margins_and_no_page_is_empty(printed):
    """Code, tables and figures that do not fit would."""
    pdf = pypdfium2.PdfDocument(printed)
    margin = 12  # mm; the text begins at 14
    for number, page in enumerate(pdf, start=1):
        picture = page.render(scale=25.4 / 72, grayscale=True).to_numpy()  # 1 pixel per mm
        assert (picture[:, :margin] > 250).all(), f"page {number} on the left"
        assert (picture[:, -margin:] > 250).all(), f"page {number} on the right"
        assert (picture[25:-20] < 250).any(), f"page {number} is empty"
    pdf.close()


def test_no_heading_is_left_alone_at_the_end_of_a_page(document):
    """Below a heading, before the lower margin, at least one line has room."""
    least = 28

    def low(items):
        for item in items:
            place = item.destination
            if float(place[3]) - LOWER < least:
                yield item.title
            yield from low(item.children)

    with document.open_outline() as root:
        assert list(low(root.root)) == []


def test_each_interactive_figure_says_where_it_moves(site, pages, texts):
    figures = sum(len(page.article.find_all("conv-explorer")) for page in pages)
    assert figures > 10
    assert "".join(texts).count(plain("still picture of an interactive figure")) == figures
    assert "".join(texts).count(plain("finds the entry of an error that you paste")) == 1


def test_solutions_stand_at_the_end(places, texts):
    start, _ = places["paper-help"]
    before, after = "".join(texts[:start]), "".join(texts[start:])
    assert "Showthesolution?" not in before + after
    assert after.count("Solution.") == len(EXERCISES)
    assert before.count("Hintsandsolution:page") == len(EXERCISES)
    for id, exercise in EXERCISES.items():
        assert plain(exercise.title) in texts[places[f"help-exercise-{id.replace('_', '-')}"][0]]


def test_the_evidence_of_each_claim_is_printed(site, texts):
    claims = read_page(site / "book/claims.html")
    blocks = [one.pre.get_text() for one in claims.find_all("details") if one.find("pre")]
    whole = "".join(texts)
    assert len(blocks) > 200
    assert [block for block in blocks if plain(block)[:60] not in whole] == []


def test_it_says_what_it_is(document):
    assert document.docinfo.Title == "What nn.Conv2d really does"
    assert document.docinfo.Author == "The convlab authors"
    assert document.Root.Lang == "en"
    assert document.Root.MarkInfo.Marked
    assert document.Root.PageMode == "/UseOutlines"
    assert document.Root.ViewerPreferences.DisplayDocTitle


def test_all_pages_are_a4_and_the_file_is_not_large(document, printed):
    boxes = [[float(side) / MILLIMETRE for side in page.mediabox] for page in document.pages]
    np.testing.assert_allclose(boxes, [[0, 0, 210, 297]] * len(boxes), atol=0.2)
    assert printed.stat().st_size < LARGEST
    assert len(document.pages) > len(toc_pages())


def test_links_between_pages_become_links_inside_the_document():
    def page(name, html):
        return Page(name, "", 1, None, BeautifulSoup(html, "html.parser"))

    pages = [
        page("book/a", "<p id='own'></p><p id='shared'></p>"),
        page("book/b", "<p id='shared'>"),
    ]
    inside, published = Targets(pages, ""), Targets(pages, "https://book.example/v1/")
    assert inside.resolve("a.html#own", "book/b") == "#own"
    assert inside.resolve("#shared", "book/b") == "#b--shared"
    assert inside.resolve("b.html", "book/a") == "#page-b"
    assert inside.resolve("https://pytorch.org", "book/a") == "https://pytorch.org"
    assert inside.resolve("../_sources/book/a.ipynb", "book/a") is None
    wanted = "https://book.example/v1/_sources/book/a.ipynb"
    assert published.resolve("../_sources/book/a.ipynb", "book/a") == wanted
    assert published.resolve("b.html#x=1", "book/a") == "https://book.example/v1/book/b.html#x=1"
    with pytest.raises(ValueError, match=r"book/a links to book/b\.html#none"):
        inside.resolve("b.html#none", "book/a")


def test_without_a_browser_it_says_what_to_install(site):
    done = run(site, "unused.pdf", PATH="")
    assert done.returncode == 1
    assert "apt-get install chromium" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_site_it_says_how_to_build_one(tmp_path):
    done = run(tmp_path, tmp_path / "book.pdf")
    assert done.returncode == 1
    assert "make book" in done.stderr
    assert "Traceback" not in done.stderr
