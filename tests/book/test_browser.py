"""A person opens the pages: nothing is fetched from elsewhere, and nothing fails."""

import itertools

import pytest

from convlab.shapes import conv2d_dropped_border, conv2d_output_size
from tests.book.book_files import ROOT, toc_pages
from tests.book.visiting import PHONE, visit

PAGES = toc_pages()
WITH_FORMULAS = [
    name
    for name in PAGES
    if (source := (ROOT / name).with_suffix(".ipynb")).exists()
    and "$$" in source.read_text(encoding="utf-8")
]
GENERATED = ["genindex.html", "search.html", "_modules/convlab/shapes/convolution.html"]


@pytest.fixture(scope="module", params=PAGES + GENERATED)
def opened(browser, address, request):
    """Give the name of a page, the page, and its faults: one visit for several tests."""
    with visit(browser, f"{address}/{request.param}") as (page, faults):
        yield request.param, page, faults


def test_a_page_loads_without_a_fault_and_without_the_network(opened):
    _, page, faults = opened
    page.mouse.wheel(0, 100_000)
    page.wait_for_timeout(100)
    assert not faults


def test_every_formula_is_rendered(opened):
    name, page, _ = opened
    written = page.locator(".math").count()
    assert page.locator(".math mjx-container svg").count() >= written
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0
    if name in WITH_FORMULAS:
        assert written > 0


@pytest.mark.parametrize("name", PAGES + GENERATED)
def test_nothing_scrolls_sideways_on_a_phone(browser, address, name):
    with visit(browser, f"{address}/{name}", width=PHONE) as (page, _):
        assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_as_a_file_too(browser, site, name):
    with visit(browser, (site / name).as_uri()) as (_, faults):
        assert not faults


def test_the_theme_button_switches_between_light_and_dark(browser, address):
    with visit(browser, f"{address}/{PAGES[0]}") as (page, _):
        background = "getComputedStyle(document.body).backgroundColor"
        seen = set()
        for _ in range(3):
            page.locator(".theme-switch-button:visible").first.click()
            seen.add(page.evaluate(background))
        assert len(seen) == 2


@pytest.mark.parametrize("word", ["stride", "cross-correlation", "conv2d_output_size"])
def test_the_search_finds_a_word_of_the_book(browser, address, word):
    with visit(browser, f"{address}/search.html?q={word}") as (page, faults):
        page.locator("#search-results li a").first.wait_for(timeout=10_000)
        assert page.locator("#search-results li").count() >= 1
        assert not faults


def test_a_drawing_fits_a_phone_and_is_sharp_on_a_wide_screen(browser, address):
    with visit(browser, f"{address}/book/math.html", width=PHONE) as (page, _):
        for picture in page.locator(".cell_output img").all():
            assert picture.bounding_box()["width"] <= PHONE
            assert picture.evaluate("image => image.naturalWidth") >= 400


def test_the_interactive_figure_counts_as_the_package_does(browser, address):
    names = ("size", "kernel_size", "stride", "padding", "dilation")
    every = itertools.product(range(1, 15), range(1, 7), range(1, 5), range(5), range(1, 4))
    settings = [dict(zip(names, numbers, strict=True)) for numbers in list(every)[::7]]
    with visit(browser, f"{address}/book/shapes.html") as (page, faults):
        shown = page.evaluate(
            """(settings) => settings.map((setting) => {
                const figure = document.getElementById("cw-windows");
                for (const [name, value] of Object.entries(setting)) {
                    figure.querySelector(`[name=${name}]`).value = value;
                }
                figure.querySelector("input").dispatchEvent(new Event("input"));
                return [Number(figure.dataset.outputs), Number(figure.dataset.dropped)];
            })""",
            settings,
        )
        assert not faults
    for setting, (outputs, dropped) in zip(settings, shown, strict=True):
        try:
            expected = conv2d_output_size(**setting)[0], conv2d_dropped_border(**setting)[0]
        except ValueError:
            expected = 0, 0
        assert (outputs, dropped) == expected, setting


def test_the_interactive_figure_answers_to_the_keyboard(browser, address):
    with visit(browser, f"{address}/book/shapes.html") as (page, _):
        formula = page.locator("#cw-windows .cw-formula")
        assert formula.inner_text() == "⌊(8 + 2·0 − 1·(3 − 1) − 1) / 2⌋ + 1 = 3"
        page.locator("#cw-windows [name=padding]").focus()
        page.keyboard.press("ArrowRight")
        assert formula.inner_text() == "⌊(8 + 2·1 − 1·(3 − 1) − 1) / 2⌋ + 1 = 4"
