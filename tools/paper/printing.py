"""Print the document with Chromium, twice: the second time with the page numbers of the first."""

import io
import mimetypes
import shutil
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pikepdf
from playwright.sync_api import sync_playwright

from convlab import __version__
from tools.paper.document import make_document

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FONTS = {  # the beginning of a file's name → the package that brings it, and the folder there
    "Deja": ("matplotlib", "matplotlib/mpl-data/fonts/ttf"),
    "Noto": ("pylopdf-fonts-zh-cn", "pylopdf_fonts_zh_cn"),
}
# Nothing is fetched from there: all requests are answered with files of the site. So no path of
# this machine gets into the PDF.
ROOT = "http://book.invalid/"
WIDTH, HEIGHT = 688, 1000  # of the text on A4, in CSS pixels

WAIT = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {
    throw new Error(`no picture at ${image.src}`);
  })));
  const figures = [...document.querySelectorAll("conv-explorer")];
  if (figures.some((one) => !one.children.length)) throw new Error("a figure is not drawn");
  const raw = [...document.querySelectorAll(".math")].filter((one) => !one.querySelector("svg"));
  if (raw.length) throw new Error(`${raw.length} formulas are not drawn: ${raw[0].textContent}`);
}"""
FILL = """(numbers) => {
  for (const link of document.querySelectorAll("a.page-number")) {
    const id = link.getAttribute("href").slice(1);
    if (!(id in numbers)) throw new Error(`no page has ${id}`);
    link.textContent = numbers[id];
  }
  // An entry of the index with several places on one page names it once.
  for (const entry of document.querySelectorAll("#paper-index p")) {
    const seen = new Set();
    for (const link of entry.querySelectorAll("a.page-number")) {
      if (seen.has(link.textContent)) {
        link.previousSibling.remove();
        link.remove();
      }
      seen.add(link.textContent);
    }
  }
}"""


class NoBrowser(Exception):
    """Neither Chromium nor Chrome is installed."""


def find_chromium():
    """Return the path of an installed Chromium or Chrome."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        raise NoBrowser(
            "The PDF is printed by Chromium or Chrome, and none is installed: looked for "
            f"{', '.join(CHROMIUM)}. On Debian or Ubuntu: apt-get install chromium"
        )
    return program


def font_file(name):
    """Return the path of a font that a Python package brings: the PDF needs none of the system."""
    carrier, folder = FONTS[name[:4]]
    return Path(distribution(carrier).locate_file(f"{folder}/{name}"))


def page_numbers(pdf):
    """Map the ids that a PDF can be opened at to the numbers of their pages, from 1."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        numbers = {page.objgen: at for at, page in enumerate(document.pages, start=1)}
        return {
            unquote(name.removeprefix("/")): numbers[destination[0].objgen]
            for name, destination in document.Root.Dests.items()
        }


def print_book(site):
    """Print the book.

    Parameters
    ----------
    site : pathlib.Path
        The root of the built site.

    Returns
    -------
    bytes
        The PDF.

    Raises
    ------
    NoBrowser
        If neither Chromium nor Chrome is installed.
    FileNotFoundError
        If the site has not been built.
    """
    program = find_chromium()
    document = make_document(site)

    def serve(route):
        path = unquote(urlsplit(route.request.url).path).lstrip("/")
        file = font_file(path.removeprefix("fonts/")) if path.startswith("fonts/") else site / path
        if not path:
            route.fulfill(body=document, content_type="text/html; charset=utf-8")
        elif file.is_file():
            route.fulfill(path=file, content_type=mimetypes.guess_type(path)[0])
        else:
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(600_000)
        page.emulate_media(media="print", color_scheme="light")
        page.route("**/*", serve)
        failed = []
        page.on("requestfailed", lambda request: failed.append(request.url))
        page.goto(ROOT)
        if failed:
            raise ValueError(f"the site lacks {', '.join(failed)}")
        page.evaluate(WAIT)

        def pdf(structure):
            return page.pdf(
                prefer_css_page_size=True,
                print_background=True,
                tagged=structure,
                outline=structure,
            )

        numbers = page_numbers(pdf(structure=False))
        page.evaluate(FILL, numbers)
        printed = pdf(structure=True)
        browser.close()
    moved = [id for id, number in page_numbers(printed).items() if numbers[id] != number]
    if moved:
        raise ValueError(f"the page numbers moved these to other pages: {', '.join(moved[:9])}")
    return finish(printed)


def finish(pdf):
    """Add what Chromium does not write, and compress the structure: half of the size."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.docinfo["/Author"] = "The convlab authors"
        document.docinfo["/Subject"] = f"The convolution layer of PyTorch; convlab {__version__}"
        document.docinfo["/Creator"] = "convlab-book"
        document.Root.PageMode = pikepdf.Name.UseOutlines
        document.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        stream = io.BytesIO()
        document.save(stream, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return stream.getvalue()
