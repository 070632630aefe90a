"""Open every page in a browser: nothing fails, and nothing is fetched from another host."""

import pytest
import yaml

from tests.book.book_files import ROOT, toc_pages
from tests.book.tab import PHONE

PAGES = toc_pages()
WITH_FORMULAS = [
    name
    for name in PAGES
    if (source := (ROOT / name).with_suffix(".ipynb")).exists()
    and "$$" in source.read_text(encoding="utf-8")
]
GENERATED = ["genindex.html", "search.html", "_modules/convlab/shapes/convolution.html"]

wide_pages = pytest.mark.parametrize("wide", PAGES + GENERATED, indirect=True)


@wide_pages
def test_a_page_loads_without_a_fault_and_without_the_network(wide):
    assert not wide.loading_faults


@wide_pages
def test_every_formula_is_rendered(wide):
    written = wide.page.locator(".math").count()
    assert wide.page.locator(".math mjx-container svg").count() >= written
    assert wide.page.locator("mjx-merror, [data-mjx-error]").count() == 0
    if wide.url.endswith(tuple(WITH_FORMULAS)):
        assert written > 0


@pytest.mark.parametrize("phone", PAGES + GENERATED, indirect=True)
def test_nothing_scrolls_sideways_on_a_phone(phone):
    assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("phone", PAGES, indirect=True)
def test_a_page_opens_as_a_file_too(phone):
    assert not phone.loading_faults


def test_the_theme_button_switches_between_light_and_dark(new_tab, address):
    page = new_tab(f"{address}/{PAGES[0]}").page
    colors = set()
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        colors.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(colors) == 2


@pytest.mark.parametrize("word", ["stride", "cross-correlation", "conv2d_output_size"])
def test_the_search_finds_a_word_of_the_book(new_tab, address, word):
    tab = new_tab(f"{address}/search.html?q={word}")
    tab.page.locator("#search-results li a").first.wait_for(timeout=10_000)
    assert tab.page.locator("#search-results li").count() >= 1
    assert not tab.faults


def test_a_drawing_fits_a_phone_and_is_sharp_on_a_wide_screen(new_tab, address):
    page = new_tab(f"{address}/book/math.html", width=PHONE).page
    for picture in page.locator(".cell_output img").all():
        assert picture.bounding_box()["width"] <= PHONE
        assert picture.evaluate("image => image.naturalWidth") >= 400


def test_an_old_address_leads_to_where_the_section_is_now(new_tab, site):
    moved = yaml.safe_load((ROOT / "book" / "moved.yml").read_text(encoding="utf-8"))
    old, new = next(iter(moved.items()))
    page = new_tab(f"{(site / 'book').as_uri()}/{old}").page
    page.wait_for_url(f"**/{new}")


def test_a_figure_is_enlarged_with_the_keyboard(new_tab, address):
    page = new_tab(f"{address}/book/math.html", width=PHONE).page
    picture = page.locator("article figure img").first
    before = picture.bounding_box()["width"]
    page.locator("button.figure-open").first.focus()
    page.keyboard.press("Enter")
    large = page.locator("dialog.figure-zoom[open] img")
    assert large.bounding_box()["width"] >= 2 * before
    assert large.get_attribute("alt") == picture.get_attribute("alt")
    page.keyboard.press("Escape")
    assert page.locator("dialog.figure-zoom[open]").count() == 0


def test_a_formula_that_is_cut_says_that_it_scrolls(new_tab, address):
    page = new_tab(f"{address}/book/api-shapes.html", width=PHONE).page
    formulas = page.evaluate(
        """() => [...document.querySelectorAll("div.math")].map((formula) => [
            formula.querySelector("svg").getBoundingClientRect().width > formula.clientWidth + 1,
            getComputedStyle(formula, "::after").content.includes("scroll"),
        ])"""
    )
    assert any(is_cut for is_cut, _ in formulas)
    assert all(is_cut == says_so for is_cut, says_so in formulas)
