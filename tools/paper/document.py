"""Put all pages of the built site into one HTML document, in the order of ``_toc.yml``."""

import posixpath
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from tools.paper import matter, still

ROOT = Path(__file__).parents[2]
STYLE = (Path(__file__).parent / "paper.css").read_text(encoding="utf-8")
PARTS = (r"<head>.*?</head>", r"<article.*?</article>")  # of a page; the rest is menus
SINGLE_PAGE = "print.css"  # the site's rules for printing one page


@dataclass
class Page:
    """A page of the site.

    Attributes
    ----------
    name : str
        Its document, as "book/shapes".
    part : str
        The caption of its part; empty for the first page.
    level : int
        1 for a chapter, 2 for a page below one.
    head, article : bs4.Tag
        Its parsed elements.
    """

    name: str
    part: str
    level: int
    head: Tag
    article: Tag

    @property
    def anchor(self):
        """The id of the whole page in the document."""
        return "page-" + posixpath.basename(self.name)

    @property
    def heading(self):
        """The text of its first heading, with the number of the chapter."""
        return " ".join(self.article.find(re.compile("^h[1-6]$")).get_text().split())


def _listed(entries, part, level=1):
    """Yield name, part and level of the pages of some entries of ``_toc.yml``."""
    for entry in entries:
        yield entry["file"], part, level
        yield from _listed(entry.get("sections", ()), part, level + 1)


def read_pages(site):
    """Read all pages of the contents.

    Raises
    ------
    FileNotFoundError
        If the site has not been built.
    """
    if not (site / "index.html").is_file():
        raise FileNotFoundError(f"{site} has no index.html: build the site first, with 'make book'")
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [(toc["root"], "", 1)]
    for part in toc["parts"]:
        names += _listed(part["chapters"], part["caption"])
    pages = []
    for name, part, level in names:
        html = (site / f"{name}.html").read_text(encoding="utf-8")
        found = [re.search(pattern, html, re.DOTALL)[0] for pattern in PARTS]
        head, article = (BeautifulSoup(text, "html.parser") for text in found)
        pages.append(Page(name, part, level, head, article.contents[0]))
    return pages


class Targets:
    """Where links lead in the document.

    Parameters
    ----------
    pages : list of Page
    address : str
        Where the site is published, or an empty text. With it, what is not in the book, such as a
        file to download, is linked there; without, it is not linked.

    An id that several pages have gets the name of its page; the others keep theirs.
    """

    def __init__(self, pages, address):
        found = {(page.name, tag["id"]) for page in pages for tag in page.article.find_all(id=True)}
        count = Counter(id for _, id in found)
        self.address = address
        self.ids = {
            (name, id): id if count[id] == 1 else f"{posixpath.basename(name)}--{id}"
            for name, id in found
        }
        self.anchors = {page.name: page.anchor for page in pages}

    def resolve(self, href, name=""):
        """Return the target of a link of the page `name`, or None.

        Raises
        ------
        ValueError
            If it leads to a place in the book that does not exist.
        """
        target = urljoin(f"{name}.html", href)
        parts = urlsplit(target)
        page, id = parts.path.removesuffix(".html"), unquote(parts.fragment)
        if parts.scheme:
            return href
        if page not in self.anchors or "=" in id:  # the explorer reads its setting there
            return urljoin(self.address, target) if self.address else None
        if id and (page, id) not in self.ids:
            raise ValueError(f"{name} links to {target}, which does not exist")
        return "#" + (self.ids[page, id] if id else self.anchors[page])

    def rewrite(self, page):
        """Let the ids, links and pictures of a page hold in the document."""
        for link in page.article.find_all("a", href=True):
            target = self.resolve(link["href"], page.name)
            if target is None and link.get_text() == "Open in the explorer":
                link.decompose()
            elif target is None:
                link.unwrap()
            else:
                link["href"] = target
        for tag in page.article.find_all(id=True):
            tag["id"] = self.ids[page.name, tag["id"]]
        for picture in page.article.find_all("img", src=True):
            picture["src"] = urljoin(f"{page.name}.html", picture["src"])
            picture["loading"] = "eager"


def web_address(pages):
    """Return the address at which the site is published, or an empty text.

    It is that of the canonical links, which Sphinx writes if ``html_baseurl`` is set.
    """
    link = pages[0].head.find("link", rel="canonical")
    return link["href"].removesuffix(f"{pages[0].name}.html") if link else ""


def _head(pages):
    """Return the style sheets, and the scripts that draw formulas, of all pages, each once."""
    lines = {}
    for page in pages:
        for tag in page.head.find_all(["link", "script"]):
            source = tag.get("href" if tag.name == "link" else "src", "")
            if source:
                source = urljoin(f"{page.name}.html", source)
            if tag.name == "link" and "stylesheet" in tag["rel"]:
                if SINGLE_PAGE not in source:
                    lines[f'<link rel="stylesheet" href="{source}">'] = None
            elif tag.name == "script" and source and "mathjax" in source.lower():
                lines[f'<script defer src="{source}"></script>'] = None
            elif tag.name == "script" and "MathJax" in tag.get_text():
                lines[str(tag)] = None
    return "\n".join(lines)


def _keep_figure_scripts(pages):
    """Keep only the scripts of interactive figures, each before the first that needs it."""
    seen = set()
    for page in pages:
        for tag in page.article.find_all(["link", "script"]):
            key = "href" if tag.name == "link" else "src"
            source = urljoin(f"{page.name}.html", tag.get(key, ""))
            if "_static/explorer/" in source and source not in seen:
                seen.add(source)
                tag[key] = source
            else:
                tag.decompose()


def _demote(article, by):
    """Lower the headings, so that those of the parts of the book are above them."""
    for heading in article.find_all(re.compile("^h[1-6]$")):
        heading["class"] = [*heading.get("class", []), f"was-{heading.name}"]
        heading.name = f"h{min(6, int(heading.name[1]) + by)}"


def _running_title(page):
    """Return the rule that prints the title of a chapter above each of its pages."""
    text = page.heading.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f"#{page.anchor} {{ page: {page.anchor}; }}\n"
        f'@page {page.anchor} {{ @top-center {{ content: "{text}"; }} }}'
    )


def make_document(site):
    """Return the whole book as HTML, whose addresses are relative to the root of the site."""
    pages = read_pages(site)
    address = web_address(pages)
    head = _head(pages)
    for page in pages:
        still.remove_controls(page.article)
        still.reduce_claims(page)
        still.say_where_it_moves(page, address)
    _keep_figure_scripts(pages)
    targets = Targets(pages, address)
    for page in pages:
        targets.rewrite(page)
    book_title = pages[0].heading
    index = matter.index(site, pages, targets)
    contents = matter.contents(pages)
    solutions = matter.hints_and_solutions(pages)
    body, part = [], ""
    for page in pages:
        opening = ""
        if page.part != part:
            part = page.part
            opening = f'<h1 class="paper-part">{part}</h1>'
        _demote(page.article, page.level if page.part else 0)
        body.append(
            f'<section class="paper-page" id="{page.anchor}">{opening}'
            f"{page.article.decode_contents()}</section>"
        )
    front = [matter.title_page(book_title), contents, matter.note_on_edition(address)]
    style = "\n".join([STYLE, *map(_running_title, pages)])
    content = "".join([*front, *body, solutions, index])
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="light" data-mode="light"><head>'
        f'<meta charset="utf-8"><title>{book_title}</title>\n{head}\n<style>{style}</style></head>'
        f'<body class="paper"><article class="bd-article">{content}</article></body></html>\n'
    )
