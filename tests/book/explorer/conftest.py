"""Two tabs of the browser for all tests of the explorer: starting one costs more than a page."""

import pytest

from tests.book.book_files import ROOT
from tests.book.tab import WIDE, Tab

SCRIPTS = ROOT / "book" / "_static" / "explorer"

# Adds up the layout shifts that no input of the reader explains.
SHIFTS = """window.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(
  entry => { if (!entry.hadRecentInput) window.shifted += entry.value; }
)).observe({ type: "layout-shift", buffered: true });"""


@pytest.fixture(scope="session")
def _figure_tab(browser):
    tab = Tab(browser)
    tab.page.add_init_script(SHIFTS)
    yield tab
    tab.close()


@pytest.fixture
def open_tab(_figure_tab):
    """Give a function that loads all of a page, even the one that the tab shows."""

    def load(url):
        _figure_tab.open("about:blank")  # or another address of the same page would not load it
        if url != "about:blank":
            _figure_tab.open(url)
        return _figure_tab

    return load


@pytest.fixture(scope="session")
def _figure_page(browser):
    """Open a tab that leaves out the theme's icons and the search, which cost half of the time."""
    page = browser.new_page(viewport={"width": WIDE, "height": 900}, reduced_motion="reduce")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    unused = ["*/fontawesome.js*", "*/searchindex.js*", "*/sections.js*", "*/search*.js*"]
    session.send("Network.setBlockedURLs", {"urls": unused})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page, errors
    page.close()


@pytest.fixture
def explorer_at(_figure_page, site):
    """Give a function that loads a page of the book, the explorer with a setting in its address.

    It returns when the figures are drawn, which is before all of the page is there. An error of a
    script, then or later, fails the test.
    """
    page, errors = _figure_page

    def load(setting="", name="explorer"):
        page.goto("about:blank")
        errors.clear()
        address = f"{(site / 'book' / name).as_uri()}.html#{setting}"
        page.goto(address, wait_until="domcontentloaded")
        return page

    yield load
    assert not errors


@pytest.fixture
def arithmetic(open_tab):
    """Open an empty page that has only the arithmetic."""
    page = open_tab("about:blank").page
    for name in ("arithmetic", "address"):
        page.add_script_tag(path=SCRIPTS / f"{name}.js")
    return page
