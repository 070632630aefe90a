"""Show what the chapters say about themselves: needs, minutes, cheat sheets, old addresses.

- ``{chapter-head}`` at the top of a chapter names the chapters that it needs and estimates how
  long it takes. Everything else here reads these heads.
- ``{chapter-map}`` lists all chapters and draws which one needs which.
- ``{minutes}`` is a role: the time that the named chapters take together.
- ``{cheat-sheet}`` repeats the section "Remember" of the named chapters.
- ``moved.yml`` says where a section went that once had another address; a script on each page
  looks it up.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import ClassVar

import yaml
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective, SphinxRole

ROW = 3.4  # height of a row of the map, in rem
# Time for a careful reader: words of prose per minute, seconds per line of open code and figure.
WORDS_PER_MINUTE, SECONDS_PER_LINE, SECONDS_PER_FIGURE = 140, 3, 20

HEAD = re.compile(r"^:::\{chapter-head\}\n(?P<options>(?::\w+:.*\n)*):::$", re.MULTILINE)
# Code of the package in the text, from `tools/included_code.py`.
COPIED = re.compile(r"^<!-- code from [^>]*-->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REMEMBER = "## Remember\n"


@dataclass(frozen=True)
class Chapter:
    """What the notebook of a chapter says about the chapter.

    Attributes
    ----------
    name : str
        The name of its file, without ending.
    title : str
        Its first heading.
    is_chapter : bool
        Whether it has a head; pages that are looked up have none.
    needs : tuple of str
        The names of the chapters that it builds on.
    engineers : bool
        Whether it is meant for engineers and not on a learner's path.
    minutes : int
        How long it takes, estimated from its words, open code and figures; a multiple of five.
    remember : str
        The text of its section "Remember", without the heading.
    """

    name: str
    title: str
    is_chapter: bool
    needs: tuple[str, ...]
    engineers: bool
    minutes: int
    remember: str


@cache
def _read(path, _modified):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    head = HEAD.search(text[0])
    options = dict(re.findall(r"^:(\w+): *(.*)$", head["options"], re.M)) if head else {}
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    hidden = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
    is_open = [not hidden & set(cell["metadata"].get("tags", ())) for cell in code]
    lines = sum(len(cell["source"]) for cell, seen in zip(code, is_open, strict=True) if seen)
    figures = sum("figure" in cell["metadata"].get("mystnb", {}) for cell in code)
    lines += sum(piece.count("\n") for piece in COPIED.findall("\n".join(text)))
    prose = COPIED.sub("", re.sub(r"\]\(\S*\)", "]", "\n".join(text)))
    words = len(re.findall(r"\w+(?:['’-]\w+)*", prose))
    seconds = words * 60 / WORDS_PER_MINUTE
    seconds += lines * SECONDS_PER_LINE + figures * SECONDS_PER_FIGURE
    return Chapter(
        name=path.stem,
        title=re.match(r"# (.*)", text[0])[1],
        is_chapter=head is not None,
        needs=tuple(options.get("needs", "").split()),
        engineers="engineers" in options,
        minutes=max(5, 5 * round(seconds / 300)),
        remember="".join(part.removeprefix(REMEMBER) for part in text if part.startswith(REMEMBER)),
    )


def read_chapter(path):
    """Read what a notebook says about its chapter."""
    return _read(path, path.stat().st_mtime_ns)


def duration(minutes):
    """Say a number of minutes in words, in hours if they are many."""
    if minutes < 90:
        return f"{minutes} minutes"
    hours = round(minutes / 30) / 2
    whole, half = int(hours), "½" if hours % 1 else ""
    return f"{whole}{half} hours"


def _folder(env):
    return Path(env.srcdir, "book")


def _chapter(env, name):
    """Read a chapter, and note that the page at hand depends on it."""
    path = _folder(env) / f"{name}.ipynb"
    env.note_dependency(str(path))
    return read_chapter(path)


def _chapters(env):
    """List the chapters of the contents that have a head, in their order."""
    toc = yaml.safe_load(Path(env.srcdir, "_toc.yml").read_text(encoding="utf-8"))
    files = [Path(entry["file"]) for part in toc["parts"] for entry in part["chapters"]]
    notebooks = [file.name for file in files if (_folder(env) / f"{file.name}.ipynb").exists()]
    return [chapter for name in notebooks if (chapter := _chapter(env, name)).is_chapter]


class ChapterHead(SphinxDirective):
    """Name what a chapter needs, and the minutes that it takes."""

    option_spec: ClassVar = {"needs": str, "engineers": directives.flag}

    def run(self):
        chapter = _chapter(self.env, Path(self.env.docname).name)
        links = ", ".join(
            f"[{_chapter(self.env, name).title}]({name}.ipynb)" for name in chapter.needs
        )
        mark = "**For engineers.** " if chapter.engineers else ""
        time = f"**Time:** about {duration(chapter.minutes)}."
        line = f"{mark}**Needs:** {links or 'nothing'}. {time}"
        box = nodes.container(classes=["chapter-head"])
        self.state.nested_parse(StringList([line], "chapter-head"), self.content_offset, box)
        return [box]


class ChapterMap(SphinxDirective):
    """List the chapters as links, with arcs from each one to those that need it."""

    def run(self):
        chapters = _chapters(self.env)
        return [nodes.raw("", _map(chapters), format="html")]


def _reduced(chapters):
    """Give the needs of each chapter, without those that another need of it implies."""
    needs = {chapter.name: set(chapter.needs) for chapter in chapters}

    def implied(name):
        return set().union(*(needs[other] | implied(other) for other in needs.get(name, ())), set())

    return {
        name: [one for one in direct if not any(one in implied(other) for other in direct)]
        for name, direct in needs.items()
    }


def _map(chapters):
    rows = {chapter.name: row for row, chapter in enumerate(chapters)}
    arcs, items = [], []
    for name, needs in _reduced(chapters).items():
        end = (rows[name] + 0.5) * ROW
        for other in needs:
            start = (rows[other] + 0.5) * ROW
            width = 0.6 + 0.55 * (rows[name] - rows[other]) ** 0.75
            arcs.append(
                f'<path d="M4 {start:.2f} C{4 - width:.2f} {start:.2f} {4 - width:.2f} {end:.2f} '
                f'3.75 {end:.2f}" marker-end="url(#chapter-map-tip)"/>'
            )
    titles = {chapter.name: chapter.title.partition(":")[0] for chapter in chapters}
    for chapter in chapters:
        needs = ", ".join(titles[name] for name in chapter.needs)
        mark = "For engineers. " if chapter.engineers else ""
        items.append(
            f'<li><a href="{chapter.name}.html">{escape(titles[chapter.name])}</a>'
            f"<small>{mark}{duration(chapter.minutes).capitalize()}"
            f"<span>{escape('; needs ' + needs if needs else '')}</span></small></li>"
        )
    height = ROW * len(chapters)
    return (
        f'<div class="chapter-map" style="--row: {ROW}rem">'
        f'<svg viewBox="0 0 4.2 {height}" style="width: 4.2rem; height: {height}rem" '
        'aria-hidden="true"><defs><marker id="chapter-map-tip" viewBox="0 0 4 4" refX="3" refY="2" '
        'markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L4 2L0 4z"/></marker></defs>'
        f"{''.join(arcs)}</svg><ol>{''.join(items)}</ol></div>"
    )


class Minutes(SphinxRole):
    """Say how long the named chapters take together."""

    def run(self):
        total = sum(_chapter(self.env, name).minutes for name in self.text.split())
        return [nodes.Text(f"about {duration(total)}")], []


class CheatSheet(SphinxDirective):
    """Repeat what the named chapters ask to remember, each under its title."""

    has_content = True

    def run(self):
        box = nodes.container(classes=["cheat-sheet"])
        for name in " ".join(self.content).split():
            chapter = _chapter(self.env, name)
            text = f"**[{chapter.title}]({name}.ipynb)**\n\n{chapter.remember}"
            part = nodes.container(classes=["cheat-sheet-part"])
            self.state.nested_parse(StringList(text.splitlines(), name), self.content_offset, part)
            box += part
        return [box]


def _moved(app):
    """Map old addresses to new ones, those of the reference included."""
    text = Path(app.srcdir, "book", "moved.yml").read_text(encoding="utf-8")
    moved = dict(yaml.safe_load(text))
    for _name, _, _, docname, anchor, _ in app.env.get_domain("py").get_objects():
        page = f"{Path(docname).name}.html"
        for old in {"api.html", "api-torch.html"} - {page}:  # each had many parts of the package
            moved[f"{old}#{anchor}"] = f"{page}#{anchor}"
    return moved


def write_moved(app, exception):
    """Write the scripts that lead from old addresses to new ones, and pages that are gone."""
    if exception is None and app.builder.format == "html":
        moved, here = _moved(app), Path(__file__).parent
        static = Path(app.outdir, "_static")
        (static / "moved.js").write_bytes((here / "moved.js").read_bytes())
        table = f"window.MOVED = {json.dumps(moved, indent=1)};\n"
        (static / "moved-table.js").write_text(table, encoding="utf-8")
        for old in moved:
            if "#" not in old:
                page = (here / "moved.html").read_text(encoding="utf-8")
                Path(app.outdir, "book", old).write_text(
                    page.replace("TARGET", moved[old]), encoding="utf-8"
                )


def setup(app):
    """Register with Sphinx."""
    app.add_directive("chapter-head", ChapterHead)
    app.add_directive("chapter-map", ChapterMap)
    app.add_directive("cheat-sheet", CheatSheet)
    app.add_role("minutes", Minutes())
    app.connect("build-finished", write_moved)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
