"""The built site, and a browser to look at it."""

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.book.book_files import ROOT


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Build the book as `make book` does, into a folder of its own."""
    output = tmp_path_factory.mktemp("site")
    program = shutil.which("jupyter-book", path=Path(sys.executable).parent)
    done = subprocess.run(
        [program, "build", "-W", "-n", "--keep-going", "--path-output", str(output), "."],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"the book does not build:\n{done.stdout}\n{done.stderr}"
    return output / "_build" / "html"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files without writing a line for each to stderr."""

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def address(site):
    """Serve the site on this machine; gives the address of its root."""
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
        pytest.skip("no Chromium or Chrome found: the pages are not looked at in a browser")
    from playwright.sync_api import sync_playwright

    quiet = ("background-networking", "component-update", "sync", "quic", "gpu")
    arguments = [f"--disable-{name}" for name in quiet] + ["--no-first-run"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=arguments, chromium_sandbox=False
        )
        yield chromium
        chromium.close()
