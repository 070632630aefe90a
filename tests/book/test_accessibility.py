"""All can read the pages, in both themes: axe-core finds no barrier."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.book.book_files import toc_pages
from tests.book.visiting import visit

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


@pytest.fixture(scope="module", params=toc_pages())
def page(browser, address, request):
    """Open a page; it follows the colour scheme of the system."""
    with visit(browser, f"{address}/{request.param}") as (page, _):
        yield page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_barrier_of_ours(page, theme):
    page.emulate_media(color_scheme=theme)
    page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
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
