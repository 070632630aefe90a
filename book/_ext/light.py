"""Make the written pages light, and keep them still while they load.

- The theme loads Font Awesome with all its 2,000 icons (1.5 MB of script, which runs on every page
  to replace a dozen icons), and Sphinx's index for a search that `book/_static/search.js` replaces.
  The icons that a page shows are written into it instead, and the scripts are left out.
- Every picture gets its width and height, so that a browser reserves its place, and becomes a WebP
  file without loss: half the size of the PNG file that matplotlib writes.
- In code, marks of words that have no colour of their own are left out: two thirds of all.
"""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from PIL import Image

UNUSED = re.compile(
    r'\s*<script [^>]*\bsrc="[^"]*(?:scripts/fontawesome|searchindex)\.js[^"]*"></script>'
)
# The page of results still uses these: its title, its summary, the stems of words.
SEARCH_TOOLS = re.compile(
    r'\s*<script src="[^"]*_static/(?:searchtools|language_data)\.js"></script>'
)
ICON = re.compile(r'<(?:i|span) class="([^"]*\bfa(?:s|-solid) [^"]*)"([^>]*)></(?:i|span)>')
IMAGE = re.compile(r'(<img (?![^>]*\bwidth=)[^>]*?\bsrc=")([^"]+\.png)"')
CODE = re.compile(r'<div class="highlight"><pre>.*?</pre>', re.DOTALL)
MODIFIERS = {"fa-solid", "fa-lg"}
ATTRIBUTION = "Icons: Font Awesome Free, fontawesome.com, CC BY 4.0"


def _solid_icons(script):
    """Read the solid icons from the theme's script: name → (width, height, path)."""
    _, _, solid = script.partition('"fa-regular"' + ",p)")
    entry = r'[{,]"?([a-z0-9-]+)"?:\[(\d+),(\d+),\[[^\]]*\],"[0-9a-f]+","([^"]+)"\]'
    return {name: found for name, *found in re.findall(entry, solid)}


class Icons:
    """Replace the empty elements of class `fa-solid` by the drawings of Font Awesome."""

    def __init__(self, script):
        self.solid = _solid_icons(script)

    def _draw(self, found):
        classes, rest = found[1].split(), found[2]
        (name,) = (one[3:] for one in classes if one.startswith("fa-") and one not in MODIFIERS)
        width, height, path = self.solid[name]
        title = re.search(r'\s+title="([^"]*)"', rest)
        rest = rest.replace(title[0], "") if title else f'{rest} aria-hidden="true"'
        return (
            f'<svg class="svg-inline--fa {" ".join(classes)}"{rest} role="img" '
            f'viewBox="0 0 {width} {height}">{f"<title>{title[1]}</title>" if title else ""}'
            f'<path fill="currentColor" d="{path}"/></svg>'
        )

    def write(self, page):
        """Return a page with its icons."""
        drawn, count = ICON.subn(self._draw, page)
        return drawn.replace("</head>", f"<!-- {ATTRIBUTION} -->\n</head>", 1) if count else page


def plain_classes(style):
    """List the classes of words in code that have the colour of all code, in both themes."""
    rule = r'data-theme="(\w+)"\] \.highlight(?: \.(\w+))? \{ ([^}]*) \}'
    rules = {(theme, name): text for theme, name, text in re.findall(rule, style)}
    base = {theme: text.split("; ")[-1] for (theme, name), text in rules.items() if not name}
    names = {name for _, name in rules if name}
    return {name for name in names if all(rules.get((t, name)) == base[t] for t in base)}


def without_marks(page, classes):
    """Leave the marks of these classes out of the code of a page."""
    mark = re.compile(rf'<span class="(?:{"|".join(sorted(classes))})">([^<]*)</span>')
    return CODE.sub(lambda found: mark.sub(r"\1", found[0]), page)


def with_sizes(page, folder):
    """Name the WebP file of every picture of a page, with its width and height."""

    def add(found):
        address = f"{found[2].removesuffix('.png')}.webp"
        with Image.open(folder / unquote(unescape(address))) as picture:
            width, height = picture.size
        return f'{found[1]}{address}" width="{width}" height="{height}"'

    return IMAGE.sub(add, page)


def convert(path):
    """Replace a PNG file by a WebP file, without loss."""
    with Image.open(path) as picture:
        opaque = picture.mode != "RGBA" or picture.getextrema()[3] == (255, 255)
        pixels = picture.convert("RGB") if opaque else picture
        pixels.save(path.with_suffix(".webp"), lossless=True, exact=True, quality=50)
    path.unlink()


def lighten_page(path, icons, plain):
    """Rewrite one page; a page that has been rewritten stays as it is."""
    page = path.read_text(encoding="utf-8")
    light = UNUSED.sub("", page)
    if path.name != "search.html":
        light = SEARCH_TOOLS.sub("", light)
    light = without_marks(with_sizes(icons.write(light), path.parent), plain)
    if light != page:
        path.write_text(light, encoding="utf-8")


def lighten(app, exception):
    """Rewrite pages and pictures, once they are written."""
    if exception is None and app.builder.format == "html":
        site = Path(app.outdir)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for folder in ("_images", "_static/drawings"):
                list(pool.map(convert, (site / folder).glob("*.png")))
        icons = Icons((site / "_static/scripts/fontawesome.js").read_text(encoding="utf-8"))
        plain = plain_classes((site / "_static/pygments.css").read_text(encoding="utf-8"))
        for path in site.rglob("*.html"):
            if "_static" not in path.relative_to(site).parts:
                lighten_page(path, icons, plain)


def setup(app):
    """Register with Sphinx, after the extensions that write pictures when the build ends."""
    app.connect("build-finished", lighten, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
