"""A person opens the pages: nothing is fetched from elsewhere, nothing fails, all can read."""

import itertools
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from book_files import ROOT, toc_pages

from convlab.shapes import conv2d_dropped_border, conv2d_output_size

PAGES = toc_pages()
WITH_FORMULAS = [
    name
    for name in PAGES
    if (source := (ROOT / name).with_suffix(".ipynb")).exists()
    and "$$" in source.read_text(encoding="utf-8")
]
GENERATED = ["genindex.html", "search.html", "_modules/convlab/shapes/windows.html"]
WIDE, PHONE = 1280, 390

# Rules that axe-core has beside its default ones, and that fit these pages.
EXTRA_RULES = ["label-content-name-mismatch", "table-fake-caption", "td-has-header", "p-as-heading"]
AXE_OPTIONS = {"rules": {rule: {"enabled": True} for rule in EXTRA_RULES}}

# What it finds in the theme itself, one by one: the rule, and words of the element's HTML.
# (More is mended in _static/accessible.js.)
KNOWN_FINDINGS = {
    # The theme writes the label "Color mode" on its button, again at each change, while the
    # text inside says which mode is on.
    ("label-content-name-mismatch", "theme-switch-button"),
}


@contextmanager
def visit(browser, url, *, theme="light", width=WIDE):
    """Open a page; gives it and the list of everything that went wrong on the way."""
    faults = []
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    host = urlsplit(url).netloc
    page.on("console", lambda m: faults.append(f"console: {m.text}") if m.type != "log" else None)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    page.on("response", lambda r: faults.append(f"{r.status}: {r.url}") if r.status > 399 else None)
    page.on(
        "request",
        lambda request: (
            faults.append(f"leaves the machine: {request.url}")
            if urlsplit(request.url).netloc not in (host, "")
            else None
        ),
    )
    try:
        page.goto(url, wait_until="load")
        page.wait_for_function(
            "() => !document.querySelector('.math') || window.MathJax?.startup?.promise"
        )
        page.evaluate("() => window.MathJax?.startup?.promise")
        page.wait_for_load_state("networkidle")
        yield page, faults
    finally:
        page.close()  # and the browsing context that was made for it


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


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_barrier_of_ours(browser, address, name, theme):
    with visit(browser, f"{address}/{name}", theme=theme) as (page, _):
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        found = [
            (violation["id"], node["html"])
            for violation in Axe().run(page, options=AXE_OPTIONS).response["violations"]
            for node in violation["nodes"]
        ]

    def is_known(finding):
        return [
            (rule, words)
            for rule, words in KNOWN_FINDINGS
            if rule == finding[0] and words in finding[1]
        ]

    assert [finding for finding in found if not is_known(finding)] == []
    assert {known for finding in found for known in is_known(finding)} == KNOWN_FINDINGS


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
