"""The pages of the book that have figures: how much they load, and what moves."""

import pytest

from tests.book.book_files import ROOT, toc_pages


def has_explorer(page):
    """Tell whether a page of the site has an interactive figure."""
    source = (ROOT / page).with_suffix("")
    texts = [source.with_suffix(kind) for kind in (".md", ".ipynb")]
    return any("{explorer}" in path.read_text(encoding="utf-8") for path in texts if path.exists())


def test_it_prints_as_a_picture(explorer_at):
    page = explorer_at(name="math")
    page.emulate_media(media="print")
    assert page.locator(".ex-input .ex-cell").first.is_visible()
    assert not page.locator(".ex-form").is_visible()
    assert not page.locator("conv-explorer button").first.is_visible()
    page.emulate_media(media="screen")


@pytest.mark.parametrize("name", [page for page in toc_pages() if has_explorer(page)])
def test_a_page_with_figures_loads_little_and_does_not_move(open_tab, site, name):
    tab = open_tab((site / name).as_uri())
    scripts = tab.page.locator("script[src*='explorer/']").evaluate_all(
        "all => all.map(s => s.src)"
    )
    names = [script.split("/")[-1] for script in scripts]
    served = [site / "_static" / "explorer" / name for name in names]
    assert sum(path.stat().st_size for path in served) < 60_000
    assert tab.page.locator("conv-explorer").count() > 0
    assert all(not text for text in tab.page.locator(".ex-error").all_inner_texts())
    assert tab.page.locator("conv-explorer :is(.ex-read, canvas, [data-explorer])").count() > 0
    assert tab.page.evaluate("window.shifted") < 0.1
    assert not tab.faults
