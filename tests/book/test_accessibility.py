"""Ask axe-core for barriers on every page, in both themes."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.book.book_files import toc_pages

# Rules that axe-core has beside its default ones, and that fit these pages.
EXTRA_RULES = ["label-content-name-mismatch", "table-fake-caption", "td-has-header", "p-as-heading"]
# By far the slowest rule. It is asked of some elements of each look, or of all of them.
CONTRAST = "color-contrast"
ELEMENTS_OF_A_LOOK = 10**6 if os.environ.get("CONVLAB_EXAMPLES") == "full" else 3
LOOKS = Path(__file__).with_name("looks.js").read_text(encoding="utf-8")

# What it finds in the theme itself, one by one: the rule, and words of the element's HTML.
# (More is mended in _static/accessible.js.)
KNOWN_FINDINGS = {
    # The theme writes the label "Color mode" on its button, again at each change, while the
    # text inside says which mode is on.
    ("label-content-name-mismatch", "theme-switch-button"),
}


def violations(page, **options):
    """Run axe-core on a page; give (rule, HTML of the element) pairs."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    page.evaluate(LOOKS, ELEMENTS_OF_A_LOOK)
    # Of what passes, one example is described instead of each.
    options["resultTypes"] = ["violations"]
    found = page.evaluate(
        """async ([contrast, options]) => {
            axe.configure({rules: [{id: contrast, selector: "[data-look]"}]});
            return (await axe.run(document, options)).violations;
        }""",
        [CONTRAST, options],
    )
    return [(violation["id"], node["html"]) for violation in found for node in violation["nodes"]]


def contrast_violations(page):
    """Run the rule about contrast alone."""
    return violations(page, runOnly={"type": "rule", "values": [CONTRAST]})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("wide", toc_pages(), indirect=True)
def test_axe_finds_no_barrier_of_ours(wide, theme):
    page = wide.page
    page.emulate_media(color_scheme=theme)
    page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
    found = violations(page, rules={rule: {"enabled": True} for rule in EXTRA_RULES})

    def is_known(finding):
        return [
            (rule, words)
            for rule, words in KNOWN_FINDINGS
            if rule == finding[0] and words in finding[1]
        ]

    assert [finding for finding in found if not is_known(finding)] == []
    assert {known for finding in found for known in is_known(finding)} == KNOWN_FINDINGS


def test_one_unreadable_kind_of_text_is_found(new_tab, address):
    page = new_tab(f"{address}/book/math.html").page
    assert contrast_violations(page) == []
    for selector in (".highlight .k", "footer p"):
        style = page.add_style_tag(content=f"{selector} {{ color: #bbb !important; }}")
        assert contrast_violations(page) != [], selector
        style.evaluate("style => style.remove()")
