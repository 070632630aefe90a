"""Replace what works on a screen only by what paper can hold."""

import json
import posixpath
import re
from html import escape

from bs4 import BeautifulSoup

HEADING = re.compile("^h[1-6]$")
CLAIMS_PAGE = "book/claims"
# Links to a heading itself and to source code, fields, and what the worksheet says about printing.
CONTROLS = {"headerlink", "viewcode-link", "claims-filter", "sheet-screen"}


def _is_control(tag):
    """Tell whether it is for a reader at a screen, or folded code, which only draws or checks."""
    classes = tag.get("class", ())
    return (
        tag.name in {"noscript", "button"}
        or not CONTROLS.isdisjoint(classes)
        or (tag.name == "details" and "hide" in classes)
    )


def _new(html):
    """Return the element that some HTML describes."""
    return BeautifulSoup(html, "html.parser").contents[0].extract()


def remove_controls(article):
    """Remove what only a reader at a screen can use; open what is folded otherwise."""
    for tag in article.find_all(_is_control):
        (tag.parent if "viewcode-link" in tag.get("class", ()) else tag).decompose()
    for cell in article.find_all("div", class_="cell"):
        if not cell.find(["pre", "img", "table", "p", "svg"]):
            cell.decompose()
    for field in article.find_all("conv-exercise"):
        field.replace_with(_new(_answer(json.loads(field["data-exercise"]))))
    for tag in article.find_all("details"):
        tag["open"] = ""
    for tag in article.find_all(class_="sd-summary-state-marker"):
        tag.decompose()
    for heading in article.find_all(HEADING):
        # Between two headings, these would be a line at which the page may end.
        for target in [one for one in heading.find_previous_siblings() if one.name == "span"]:
            heading.insert(0, target)


def _answer(exercise):
    """Return a line to write the answer to an exercise on, or the choices."""
    if exercise["choices"]:
        return f'<p class="paper-answer">Choose: {escape(" / ".join(exercise["choices"]))}</p>'
    return '<p class="paper-answer">Your answer: <span class="paper-blank"></span></p>'


def reduce_claims(page):
    """Print the evidence of a claim once, and what is folded elsewhere as a list of links."""
    if page.name == CLAIMS_PAGE:
        for summary in page.article.find_all("summary", string="Evidence"):
            summary.parent.unwrap()
            summary.decompose()
        return
    here = posixpath.relpath(CLAIMS_PAGE, posixpath.dirname(page.name))
    for details in page.article.find_all("details", class_=False):
        if details.decomposed:
            continue
        claims = details.find_all("div", class_="claim")
        if claims:
            names = [claim["id"] for claim in claims]
            links = ", ".join(f'<a href="{here}.html#{name}">{name.upper()}</a>' for name in names)
            ids = [tag["id"] for tag in details.find_all(id=True)]
            targets = "".join(f'<span id="{id}"></span>' for id in ids)
            summary = details.summary.get_text()
            details.replace_with(_new(f'<p class="paper-claims">{targets}{summary}: {links}</p>'))
        elif details.summary and details.summary.get_text() == "Evidence":
            details.decompose()


def say_where_it_moves(page, address):
    """Add the address of the site to each interactive figure and to the field for an error."""
    for figure in page.article.find_all(["conv-explorer", "paste-error"]):
        place = figure.find_parent("section", id=True)
        url = f"{page.name}.html"
        if place and place.parent.find_parent("section"):  # not the whole page
            url += f"#{place['id']}"
        link = f'<a href="{address}{url}">{address}{url}</a>' if address else f"<code>{url}</code>"
        if figure.name == "conv-explorer":
            text = f"A still picture of an interactive figure. It moves on the site, at {link}"
            figure.insert_after(_new(f'<p class="paper-note">{text}</p>'))
        else:
            text = f"On the site, a field here finds the entry of an error that you paste: {link}"
            figure.replace_with(_new(f'<p class="paper-note">{text}</p>'))


def exercise_help(page):
    """Take hints and solutions out of the exercises of a page, and leave a link to them there.

    Returns
    -------
    list of (str, str, list of bs4.Tag)
        For each exercise its id in the document, its title, and its hints and solution.
    """
    found = []
    for section in page.article.find_all("section"):
        own = section.find_all("details", class_="sd-dropdown", recursive=False)
        heading = section.find(HEADING)
        label = heading and heading.find(id=re.compile("exercise-"))
        id = label["id"] if label else section["id"]
        if not own or "exercise-" not in id:
            continue
        title = " ".join(heading.get_text().split())
        note = _new('<p class="paper-note paper-help-note">Hints and solution: page </p>')
        note.append(_new(f'<a class="page-number" href="#help-{id}">000</a>'))
        own[0].insert_before(note)
        found.append((id, title, [details.extract() for details in own]))
    return found
