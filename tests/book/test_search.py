"""Search the built site for what people type, from a file, and expect the right section first."""

import re

import pytest

# What is typed, and the sections of which one must be among the first three results.
PHRASES = {
    "mat1 and mat2 shapes": r"shapes.html#",
    "shape error": r"shapes.html#",
    "Given groups=1, weight of size": r"shapes.html#",
    "output size formula": r"shapes.html#",
    "filter": r"(math|parameters).html|glossary.html#term-(kernel|filter)",
    "cross-correlation": r"math.html#|glossary.html#term-cross",
    "padding": r"padding.html$",
    "padding_mode reflect": r"padding.html#|parameters.html#",
    "1x1 convolution": r"(groups|math|architectures|parameters).html#",
    "depthwise separable convolution": r"groups.html#",
    "receptive field formula": r"dilation.html#",
    "gridding artifacts": r"dilation.html#",
    "ceil_mode": r"pooling.html#",
    "global average pooling": r"pooling.html#",
    "backprop": r"gradients.html",
    "transposed convolution": r"gradients.html#",
    "exploding gradient": r"book/init.html",
    "Xavier": r"book/init.html#",
    "batch norm eval mode": r"normalization.html#",
    "skip connection": r"architectures.html#",
    "fine-tuning": r"inside.html#",
    "learning rate": r"training.html#",
    "mixed precision": r"scaling.html#",
    "Winograd": r"algorithms.html#",
    "conv2d_output_size": r"api-shapes.html#convlab.shapes.conv2d_output_size",
}


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_right_section_is_among_the_first_three(new_tab, site, phrase):
    tab = new_tab(f"{(site / 'search.html').as_uri()}?q={phrase}")
    results = tab.page.locator("#search-results li a")
    results.first.wait_for(timeout=10_000)
    found = [link.get_attribute("href") for link in results.all()[:3]]
    assert any(re.search(PHRASES[phrase], address) for address in found), found
    assert not tab.faults


def test_a_result_leads_to_its_section(new_tab, site):
    page = new_tab(f"{(site / 'search.html').as_uri()}?q=checkerboard").page
    link = page.locator("#search-results li a").first
    link.wait_for(timeout=10_000)
    anchor = link.get_attribute("href").partition("#")[2]
    link.click()
    page.wait_for_url("**/gradients.html#*")
    assert page.evaluate("id => document.getElementById(id) !== null", anchor)


def test_words_that_no_page_has_are_reported(new_tab, site):
    page = new_tab(f"{(site / 'search.html').as_uri()}?q=zyzzyvas").page
    page.get_by_text("No section has these words").wait_for(timeout=10_000)
