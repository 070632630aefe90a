"""Every page is light, shows its formulas and icons without a script, and stays where it is."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from benchmarks.pages import WIDTHS, is_foreign, load, weigh
from tests.book.book_files import ROOT, toc_pages

sys.path.append(str(ROOT / "book" / "_ext"))
import light

PAGES = toc_pages()
GENERATED = ["genindex.html", "search.html", "_modules/convlab/shapes/convolution.html"]
MOST, MOST_AT_FIRST = 1_000_000, 300_000  # bytes of a page's own, uncompressed
# What only the search needs, and what the formulas and icons in the pages replace.
NOT_LOADED = re.compile(r"sections\.js|minisearch|searchindex|searchtools|fontawesome\.js|mathjax")


class Images(HTMLParser):
    """Collect the attributes of all pictures of a page."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.found.append(dict(attrs))


@pytest.mark.parametrize("wide", PAGES + GENERATED, indirect=True)
def test_a_page_loads_less_than_a_megabyte_of_its_own(wide, site, address):
    page = wide.url.removeprefix(f"{address}/")
    weight = weigh(site, page, wide.requested)
    assert weight.own < (MOST_AT_FIRST if page == PAGES[0] else MOST), weight


@pytest.mark.parametrize("wide", PAGES, indirect=True)
def test_a_page_loads_nothing_of_the_search_and_no_library_for_formulas_or_icons(wide):
    assert [one for one in wide.requested if NOT_LOADED.search(one)] == []
    assert wide.page.locator("[class*=fa-]:not(svg)").count() == 0


def test_a_search_loads_less_than_a_megabyte(new_tab, site, address):
    tab = new_tab(f"{address}/search.html?q=stride")
    tab.page.locator("#search-results li a").first.wait_for(timeout=10_000)
    weight = weigh(site, "search.html", tab.requested)
    assert weight.own < MOST, weight
    loaded = {url.rpartition("/")[2] for url in tab.requested}
    assert {"sections.js", "minisearch.js"} <= loaded
    assert not {"searchindex.js", "fontawesome.js"} & loaded


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_ctrl_k_leads_to_the_results(new_tab, site, address, scheme):
    root = address if scheme == "http" else site.as_uri()
    tab = new_tab(f"{root}/book/math.html")
    tab.page.keyboard.press("Control+k")
    tab.page.keyboard.type("checkerboard")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**/search.html?q=checkerboard")
    tab.page.locator("#search-results li a").first.wait_for(timeout=10_000)
    assert not tab.faults


def test_a_word_of_the_address_is_highlighted(new_tab, site):
    page = new_tab(f"{(site / 'book/math.html').as_uri()}?highlight=kernel").page
    page.locator("span.highlighted").first.wait_for(state="attached", timeout=10_000)


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_has_the_width_and_height_of_its_file(site, name):
    path = site / name
    for one in Images(path.read_text(encoding="utf-8")).found:
        if one.get("src"):  # the enlarged figure has none at first
            with Image.open(path.parent / one["src"]) as picture:
                assert (int(one["width"]), int(one["height"])) == picture.size, one["src"]


@pytest.mark.parametrize("name", PAGES)
def test_every_glyph_of_a_formula_is_on_its_page_once(site, name):
    page = (site / name).read_text(encoding="utf-8")
    used = set(re.findall(r'<use [^>]*href="#([^"]+)"', page))
    defined = re.findall(r'<path id="(f\d+-[^"]+)"', page)
    assert used == set(defined)
    assert len(defined) == len(set(defined))


def test_a_formula_has_mathml_for_screen_readers(site):
    page = (site / "book/shapes.html").read_text(encoding="utf-8")
    formulas = page.count('<mjx-container class="MathJax"')
    assert formulas > 50
    assert len(re.findall(r"<mjx-assistive-mml[^>]*><math[ >]", page)) == formulas
    assert page.count('aria-hidden="true"><g stroke="currentColor"') == formulas


def test_a_field_of_an_exercise_is_there_before_what_follows_is_read(site):
    """A deferred script would insert the field above what the reader already sees."""
    for name in PAGES:
        page = (site / name).read_text(encoding="utf-8")
        for tag in ("conv-exercise", "conv-explorer", "paste-error"):
            head, found, _ = page.partition(f"<{tag} ")
            if found:
                script = re.findall(r"<script([^>]*)></script>", head)[-1]
                assert "defer" not in script, (name, tag)


def test_a_file_of_the_theme_is_not_counted_as_ours():
    assert is_foreign("_static/styles/theme.css")
    assert not is_foreign("_static/custom.css")
    assert not is_foreign("book/index.html")
    names = [path.relative_to(ROOT / "book").as_posix() for path in ours()]
    assert [name for name in names if is_foreign(name)] == []


def ours():
    return [path for path in (ROOT / "book" / "_static").rglob("*") if path.is_file()]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_converted_picture_has_the_same_pixels(tmp_path, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    Image.fromarray(pixels.squeeze()).save(tmp_path / "x.png")
    light.convert(tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
    with Image.open(tmp_path / "x.webp") as picture:
        found = np.asarray(picture.convert("RGBA" if channels == 4 else "RGB"))
    expected = np.broadcast_to(pixels, (20, 30, 3)) if channels == 1 else pixels
    np.testing.assert_array_equal(found, expected)


STYLE = """
html[data-theme="light"] .highlight { background: #fff; color: #111 }
html[data-theme="light"] .highlight .n { color: #111 }
html[data-theme="light"] .highlight .k { color: #22f }
html[data-theme="light"] .highlight .b { color: #111; font-weight: bold }
html[data-theme="light"] .highlight .s { color: #111 }
html[data-theme="dark"] .highlight { background: #000; color: #eee }
html[data-theme="dark"] .highlight .n { color: #eee }
html[data-theme="dark"] .highlight .k { color: #77f }
html[data-theme="dark"] .highlight .b { color: #eee; font-weight: bold }
html[data-theme="dark"] .highlight .s { color: #f77 }
"""


def test_only_marks_without_a_colour_of_their_own_are_left_out():
    classes = light.plain_classes(STYLE)
    assert classes == {"n"}
    code = '<span class="n">x</span><span class="k">if</span>'
    block = f'<div class="highlight"><pre>{code}</pre></div>'
    expected = '<div class="highlight"><pre>x<span class="k">if</span></pre></div>'
    assert light.without_marks(f"{code}{block}{code}", classes) == f"{code}{expected}{code}"


def test_the_theme_has_every_icon_that_a_page_asks_for(site):
    script = (site / "_static/scripts/fontawesome.js").read_text(encoding="utf-8")
    icons = light.Icons(script)
    assert len(icons.solid) > 1000
    drawn = icons.write('<head></head><i class="fa-solid fa-moon  fa-lg" title="Dark"></i>')
    assert re.search(r'<svg class="svg-inline--fa fa-solid fa-moon fa-lg" .*<title>Dark<', drawn)
    assert light.ATTRIBUTION in drawn
    with pytest.raises(KeyError, match="no-such-icon"):
        icons.write('<i class="fa-solid fa-no-such-icon"></i>')


def test_the_benchmark_runs(site, browser, tmp_path):
    words = ["-m", "benchmarks.pages", "--quick", "--site", str(site), "--output", str(tmp_path)]
    command = [sys.executable, *words]  # Playwright runs once in a process
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "The numbers mean nothing" in done.stdout
    result = load(tmp_path / "pages.json")
    assert result.quick
    assert [(row.scheme, row.width) for row in result.rows] == [
        (scheme, width) for scheme in ("http", "file") for width in WIDTHS
    ]
    assert all(0 < row.fcp <= row.lcp for row in result.rows)
