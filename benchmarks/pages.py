"""Measure the pages of the built site: weight, layout shift and first view on a slow CPU.

    python -m benchmarks.pages             # every page, stored in convlab/results/files/pages
    python -m benchmarks.pages --quick     # a test run on the first page, stored in _build/
    python -m benchmarks.pages --print     # print what is stored

It needs the site that `make book` builds, and an installed Chromium. Each page is loaded in a new
browser context, so that nothing is cached, with the CPU slowed four times.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import gzip
import http.server
import shutil
import statistics
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, sync_playwright
from tabulate import tabulate

from benchmarks.machine import Others, describe, versions
from benchmarks.processes import ROOT
from convlab.results import FILES
from convlab.results.store import read, rounded, write

RESULTS = FILES / "pages"
QUICK_RESULTS = ROOT / "_build" / "benchmarks" / "pages"
SITE = ROOT / "_build" / "html"
SCHEMA = 1
SLOWDOWN = 4
WIDTHS = (1280, 390)
SCHEMES = ("http", "file")
# Files of Sphinx, of its extensions and of the theme, below `_static`. What is not listed is ours.
FOREIGN = (
    "styles/", "scripts/", "vendor/fontawesome/", "mathjax/", "basic.css", "clipboard.min.js",
    "copybutton", "design-tabs.js", "doctools.js", "documentation_options.js", "language_data.js",
    "mystnb.", "pygments.css", "searchtools.js", "sphinx-design", "sphinx_highlight.js",
    "togglebutton", "webpack-macros", "images/",
)  # fmt: skip

# Collects what the browser reports. A layout shift just after a click or a key does not count; CLS
# is the largest sum of the shifts within a window of 5 s without a pause of 1 s.
OBSERVE = """
window.measured = {shifts: [], fcp: 0, lcp: 0, blocked: 0};
const watch = (type, use) => new PerformanceObserver((list) => list.getEntries().forEach(use))
    .observe({type, buffered: true});
watch("layout-shift", (e) => e.hadRecentInput || measured.shifts.push([e.startTime, e.value,
    e.sources.map(({node}) => node?.nodeName + "." + (node?.className ?? ""))]));
watch("paint", (e) => { if (e.name === "first-contentful-paint") measured.fcp = e.startTime; });
watch("largest-contentful-paint", (e) => { measured.lcp = e.startTime; });
watch("longtask", (e) => { measured.blocked += Math.max(0, e.duration - 50); });
"""


@dataclass(frozen=True)
class Weight:
    """Bytes that a page loads: its own content, and the files of the theme and of libraries."""

    page: str
    own: int
    own_gzip: int
    foreign: int
    foreign_gzip: int
    files: int  # of both kinds, the page included


@dataclass(frozen=True)
class Row:
    """One page, at one width, by one scheme; medians of `n` loads, in milliseconds."""

    page: str
    width: int  # of the window, in CSS pixels
    scheme: str  # "http", compressed, from this machine; or "file"
    fcp: float  # first contentful paint
    lcp: float  # largest contentful paint
    blocked: float  # total blocking time: the parts of tasks that exceed 50 ms
    load: float  # the event `load`
    cls: float  # cumulative layout shift, the largest of the `n` loads
    n: int


@dataclass(frozen=True)
class PagesResult:
    """Everything measured."""

    created: str  # UTC, ISO 8601
    quick: bool  # True: a test run; the numbers mean nothing
    machine: dict[str, Any]
    versions: dict[str, str | None]
    browser: str
    slowdown: int  # of the CPU
    others: float | None  # cores kept busy by other processes, the browser included; None: unknown
    weights: list[Weight]
    rows: list[Row]
    schema: int = SCHEMA


def is_foreign(file: str) -> bool:
    """Tell whether a file of the site is one of the theme or of a library, not of the book."""
    folder, _, name = file.partition("/")
    return folder == "_static" and name.startswith(FOREIGN)


class _Loaded(HTMLParser):
    """List the addresses that a page loads by its tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag loads."""
        given = dict(attrs)
        relation = given.get("rel") or ""
        if tag in {"img", "script", "source", "iframe"}:
            self.addresses.append(given.get("src") or "")
        elif tag == "link" and {"stylesheet", "preload", "icon"} & set(relation.split()):
            self.addresses.append(given.get("href") or "")


def files_of(site: Path, page: str, requested: Sequence[str] = ()) -> list[str]:
    """List the files that a page loads: by its tags, and what a browser requested besides.

    Parameters
    ----------
    site : Path
        The root of the built site.
    page : str
        A page, as a path inside the site.
    requested : sequence of str
        Addresses, absolute or relative to the site, as `http:` or `file:`.

    Returns
    -------
    list of str
        Paths inside the site, sorted; the page itself is one of them.
    """
    tags = _Loaded((site / page).read_text(encoding="utf-8")).addresses
    found = {page}
    for address in tags:
        url = urlsplit(address)
        if url.path and not url.scheme:
            target = (site / page).parent / unquote(url.path)
            found.add(target.resolve().relative_to(site.resolve()).as_posix())
    for address in requested:
        url = urlsplit(address)
        name = unquote(url.path)
        if url.scheme == "file":
            found.add(Path(name).resolve().relative_to(site.resolve()).as_posix())
        elif url.scheme == "http":
            found.add(name.lstrip("/"))
    return sorted(name for name in found if (site / name).is_file())


def weigh(site: Path, page: str, requested: Sequence[str] = ()) -> Weight:
    """Weigh what a page loads; the arguments are those of `files_of`."""
    sizes = {True: [0, 0], False: [0, 0]}
    files = files_of(site, page, requested)
    for name in files:
        size, packed = _sizes(site / name)
        sizes[is_foreign(name)][0] += size
        sizes[is_foreign(name)][1] += packed
    (own, own_gzip), (foreign, foreign_gzip) = sizes[False], sizes[True]
    return Weight(page, own, own_gzip, foreign, foreign_gzip, len(files))


@functools.cache
def _sizes(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    return len(content), min(len(content), len(gzip.compress(content, 6)))


class GzipHandler(http.server.SimpleHTTPRequestHandler):
    """Serve files, texts compressed, without a line on stderr for each."""

    def do_GET(self) -> None:
        """Answer a request."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in {".html", ".css", ".js", ".svg", ".json"} or not path.is_file():
            super().do_GET()
            return
        content = _compressed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""


@functools.cache
def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a site on this machine; give the address of its root."""
    handler = functools.partial(GzipHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def layout_shift(shifts: Sequence[tuple[float, float, Any]]) -> float:
    """Return the cumulative layout shift of (time in ms, value, source) entries.

    Examples
    --------
    >>> layout_shift([(0, 0.1, ""), (900, 0.1, ""), (3000, 0.15, "")])
    0.2
    """
    worst = total = 0.0
    start = last = float("-inf")
    for time, value, _ in shifts:
        if time - last > 1000 or time - start > 5000:
            start, total = time, 0.0
        last, total = time, total + value
        worst = max(worst, total)
    return worst


def load_once(browser: Browser, url: str, width: int) -> tuple[dict[str, Any], list[str]]:
    """Load a page in a new context; give what the browser reports, and what it requested."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.add_init_script(OBSERVE)
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(url, wait_until="load", timeout=120_000)
    page.evaluate("() => window.MathJax?.startup?.promise")
    page.wait_for_timeout(1000)
    measured = page.evaluate(
        "() => ({...measured, load: performance.getEntriesByType('navigation')[0].loadEventStart})"
    )
    context.close()
    return measured, requested


def measure(
    site: Path, pages: Sequence[str], rounds: int, schemes: Sequence[str] = SCHEMES
) -> tuple[list[Weight], list[Row], str]:
    """Measure pages; give their weights, the rows, and the version of the browser."""
    program = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    weights: dict[str, Weight] = {}
    rows = []
    with served(site) as address, sync_playwright() as playwright:
        roots = {"http": address, "file": site.resolve().as_uri()}
        browser = playwright.chromium.launch(
            executable_path=program, args=["--disable-gpu"], chromium_sandbox=False
        )
        version = browser.version
        for page in pages:
            for scheme in schemes:
                for width in WIDTHS:
                    loads = [
                        load_once(browser, f"{roots[scheme]}/{page}", width) for _ in range(rounds)
                    ]
                    weights.setdefault(page, weigh(site, page, loads[0][1]))
                    rows.append(_row(page, width, scheme, [found for found, _ in loads]))
                    print(rows[-1], file=sys.stderr, flush=True)
        browser.close()
    return list(weights.values()), rows, version


def _row(page: str, width: int, scheme: str, loads: Sequence[dict[str, Any]]) -> Row:
    times = {
        name: rounded(statistics.median(one[name] for one in loads))
        for name in ("fcp", "lcp", "blocked", "load")
    }
    cls = rounded(max(layout_shift(one["shifts"]) for one in loads))
    return Row(page=page, width=width, scheme=scheme, cls=cls, n=len(loads), **times)


def report(result: PagesResult) -> str:
    """Return the tables of a result, as Markdown."""
    lines = ["# The pages", ""]
    if result.quick:
        lines += ["**A test run. The numbers mean nothing.**", ""]
    sizes = [
        [w.page, *(f"{n / 1000:,.0f}" for n in dataclasses.astuple(w)[1:5]), w.files]
        for w in sorted(result.weights, key=lambda weight: -weight.own)
    ]
    heads = ["kB", "own", "own, gzip", "theme", "theme, gzip", "files"]
    lines += [str(tabulate(sizes, heads, tablefmt="github", disable_numparse=True)), ""]
    times = [
        [
            row.page, row.scheme, row.width, f"{row.fcp:,.0f}", f"{row.lcp:,.0f}",
            f"{row.blocked:,.0f}", f"{row.load:,.0f}", f"{row.cls:.3f}", row.n,
        ]
        for row in result.rows
    ]  # fmt: skip
    heads = ["ms", "", "width", "FCP", "LCP", "blocked", "load", "CLS", "n"]
    lines += [str(tabulate(times, heads, tablefmt="github", disable_numparse=True)), ""]
    middle = [
        f"{name} {statistics.median(getattr(row, name) for row in result.rows):,.0f} ms"
        for name in ("fcp", "lcp", "blocked", "load")
    ]
    worst = max(row.cls for row in result.rows)
    lines.append(
        f"Medians over all rows: {', '.join(middle)}. Largest CLS: {worst:.3f}. "
        f"Chromium {result.browser}, CPU slowed {result.slowdown} times. {result.created}"
    )
    return "\n".join(lines)


def load(path: Path) -> PagesResult:
    """Read a result, as `convlab.results.store.read` does."""
    return read(path, PagesResult, SCHEMA, {"weights": Weight, "rows": Row})


def all_pages(site: Path) -> list[str]:
    """List the pages that a reader opens, as paths inside the site."""
    found = [path.relative_to(site).as_posix() for path in (site / "book").glob("*.html")]
    moved = "This page has moved"
    return [
        name
        for name in [*sorted(found), "search.html", "genindex.html"]
        if moved not in (site / name).read_text(encoding="utf-8")[:300]
    ]


def main(words: Sequence[str] | None = None) -> None:
    """Measure, store and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pages", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--site", type=Path, default=SITE, help="the built site (default: %(default)s)"
    )
    parser.add_argument("--name", default="pages", help="name of the stored file")
    parser.add_argument("--rounds", type=int, default=5, help="loads of each page (default: 5)")
    parser.add_argument("--page", nargs="+", help="pages, as paths inside the site (default: all)")
    parser.add_argument("--quick", action="store_true", help="the first page, once: a test run")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="folder for the result")
    parser.add_argument("--print", action="store_true", help="print the stored result")
    chosen = parser.parse_args(words)
    path = (chosen.output or (QUICK_RESULTS if chosen.quick else RESULTS)) / f"{chosen.name}.json"
    if not chosen.print:
        pages = ["book/index.html"] if chosen.quick else chosen.page or all_pages(chosen.site)
        with Others() as others:
            weights, rows, version = measure(
                chosen.site, pages, 1 if chosen.quick else chosen.rounds
            )
        result = PagesResult(
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"), quick=chosen.quick,
            machine=describe(), versions=versions(("convlab", "sphinx-book-theme", "playwright")),
            browser=version, slowdown=SLOWDOWN, others=others.cores, weights=weights, rows=rows,
        )  # fmt: skip
        write(dataclasses.asdict(result), path)
    print(report(load(path)))


if __name__ == "__main__":
    main()
