"""The title page, the contents, the hints and solutions, and the index of the PDF.

A page number is a link of the class ``page-number``; `tools.paper.printing` fills it.
"""

import re
from html import escape

from bs4 import BeautifulSoup

import convlab
from tools.paper.still import exercise_help

# Sections that nearly every chapter has.
REPEATED = {"Remember", "Exercises", "Further reading", "What the documents say, checked"}
HEADING = re.compile("^h[1-6]$")


def _number(id):
    return f'<a class="page-number" href="#{id}">000</a>'


def title_page(title):
    """Return the first page."""
    return (
        f'<section id="paper-title"><p class="paper-title">{escape(title)}</p>'
        f"<p>The whole book, with convlab {convlab.__version__}</p>"
        "<p>The convlab authors</p>"
        "<p>Text and figures: Creative Commons Attribution 4.0 International. "
        "Code: MIT License.</p></section>"
    )


def note_on_edition(address):
    """Return what the reader of the PDF should know about it."""
    site = f'<a href="{address}">the site</a>' if address else "the site"
    return f"""<section id="paper-edition"><h1>About this edition</h1>
<p>This PDF holds all pages of {site}, with these differences:</p><ul>
<li>An interactive figure is a still picture of its first setting. Below it stands the address at
which it moves.</li>
<li>Hints and solutions of the exercises are at the end, from page {_number("paper-help")}, so that
nobody sees them before trying.</li>
<li>Code that only draws a figure, formats a table or checks a number is left out. The notebooks
have it.</li>
<li>The code that decides a claim of one of the five documents is printed once, with all claims,
from page {_number("page-claims")}. Elsewhere, a claim that is right is only named.</li>
<li>The index, from page {_number("paper-index")}, lists the terms, each with the sections that
teach it, and all functions.</li></ul></section>"""


def contents(pages):
    """Return the contents: parts, chapters, and the sections that belong to one chapter."""
    lines, part = [], ""
    for page in pages:
        if page.part != part:
            part = page.part
            lines.append(f'<p class="contents-part">{escape(part)}</p>')
        lines.append(_line(page.heading, page.anchor, f"contents-{page.level}"))
        if page.level == 1:
            for section in page.article.select("section > section"):
                heading = section.find(HEADING)
                text = " ".join(heading.get_text().split()) if heading else ""
                if heading and heading.name == "h2" and text not in REPEATED:
                    lines.append(_line(text, section["id"], "contents-section"))
    lines.append('<p class="contents-part">At the end</p>')
    lines.append(_line("Hints and solutions", "paper-help", "contents-1"))
    lines.append(_line("Index", "paper-index", "contents-1"))
    return f'<nav id="paper-contents"><h1>Contents</h1>{"".join(lines)}</nav>'


def _line(text, id, kind):
    return (
        f'<p class="{kind}"><a href="#{id}"><span>{escape(text)}</span></a>'
        f'<span class="contents-dots"></span>{_number(id)}</p>'
    )


def hints_and_solutions(pages):
    """Move the hints and solutions of all exercises here, by chapter."""
    parts = ['<section id="paper-help"><h1>Hints and solutions</h1>']
    for page in pages:
        exercises = exercise_help(page)
        if exercises:
            parts.append(f"<section><h2>{escape(page.heading)}</h2>")
        for id, title, boxes in exercises:
            parts.append(
                f'<section class="paper-help-exercise" id="help-{id}"><h3>{escape(title)}</h3>'
                f'<p class="paper-note">The exercise: page {_number(id)}</p>'
            )
            for box in boxes:
                name = box.summary.get_text().strip()
                name = "Solution" if name == "Show the solution?" else name
                box.summary.decompose()
                parts.append(f"<div><strong>{name}.</strong> {box.decode_contents()}</div>")
            parts.append("</section>")
        if exercises:
            parts.append("</section>")
    return "".join([*parts, "</section>"])


def index(site, pages, targets):
    """Return the index: that of the site, with the sections that teach the terms."""
    soup = BeautifulSoup((site / "genindex.html").read_text(encoding="utf-8"), "html.parser")
    taught = _taught(pages)
    parts = ['<section id="paper-index"><h1>Index</h1><div class="paper-columns">']
    for table in soup.select("table.indextable"):
        heading = table.find_previous("h2")
        parts.append(f'<h2 class="index-letter">{escape(heading.get_text())}</h2>')
        for item in table.select("td > ul > li"):
            parts += _entries(item, targets, taught, "index-1")
    return "".join([*parts, "</div></section>"])


def _entries(item, targets, taught, kind):
    """Yield the lines of an item of Sphinx's index, and of those below it."""
    links = item.find_all("a", recursive=False)
    ids = []
    for link in links:
        id = targets.resolve(link["href"]).removeprefix("#")
        ids += [one for one in (*taught.get(id, ()), id) if one not in ids]
    text = links[0].get_text() if links else item.find(string=True).strip()
    numbers = "".join(f", {_number(id)}" for id in ids)
    yield f'<p class="{kind}">{escape(text)}{numbers}</p>'
    for below in item.select(":scope > ul > li"):
        yield from _entries(below, targets, taught, "index-2")


def _taught(pages):
    """Map the ids of the glossary's terms to the ids of the sections that teach them."""
    found = {}
    glossary = next(page for page in pages if page.name == "book/glossary")
    for meaning in glossary.article.select("dl.glossary > dd"):
        links = [link["href"] for link in meaning.select("a.internal")]
        ids = [href[1:] for href in links if href[:1] == "#" and not href.startswith("#term-")]
        term = meaning.find_previous_sibling()
        while term is not None and term.name == "dt":
            found[term["id"]] = ids
            term = term.find_previous_sibling()
    return found
