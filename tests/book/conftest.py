"""The built site, and a browser that opens its pages."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.book.book_files import ROOT
from tests.book.tab import PHONE, WIDE, Tab


@pytest.fixture(scope="session")
def site(make_once):
    """Build the book as `make book` does, into a temporary folder.

    The variable CONVLAB_SITE names a site that has just been built, as in CI.
    """
    if "CONVLAB_SITE" in os.environ:
        return ROOT / os.environ["CONVLAB_SITE"]

    def build(folder):
        program = shutil.which("jupyter-book", path=Path(sys.executable).parent)
        command = [program, "build", "-W", "-n", "--keep-going", "--path-output", str(folder), "."]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"the book does not build:\n{done.stdout}\n{done.stderr}"

    return make_once("site", build) / "_build" / "html"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files without writing a line for each to stderr."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def address(site):
    """Serve the site on this machine; give the address of its root."""
    handler = functools.partial(QuietHandler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser():
    """Start the installed Chromium, without a window."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("Chromium or Chrome is not installed: no page is opened in a browser")
    from playwright.sync_api import sync_playwright

    quiet = ("background-networking", "component-update", "sync", "quic", "gpu")
    arguments = [f"--disable-{name}" for name in quiet] + ["--no-first-run"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=arguments, chromium_sandbox=False
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def _wide_tab(browser):
    tab = Tab(browser)
    yield tab
    tab.close()


@pytest.fixture(scope="session")
def _phone_tab(browser):
    tab = Tab(browser, PHONE)
    yield tab
    tab.close()


@pytest.fixture
def wide(_wide_tab, address, request):
    """Open the page that is the parameter over HTTP, once for all tests of a page."""
    _wide_tab.show(f"{address}/{request.param}")
    return _wide_tab


@pytest.fixture
def phone(_phone_tab, site, request):
    """Open the page that is the parameter as a file, in a window as narrow as a phone."""
    _phone_tab.show((site / request.param).as_uri())
    return _phone_tab


@pytest.fixture
def new_tab(browser):
    """Give a function that opens a tab for the test alone: it may change what it finds."""
    tabs = []

    def open_tab(url, width=WIDE):
        tabs.append(Tab(browser, width))
        tabs[-1].open(url)
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        tab.close()
