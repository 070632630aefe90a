"""Render all formulas at build time, so that no page runs MathJax.

The package sphinx-mathjax-offline carries MathJax 3.2.2, and mini-racer the JavaScript engine V8.
MathJax writes each formula as an SVG picture, with MathML beside it for screen readers: what it
would write in the browser, where it delays a page by seconds on a slow computer, and moves what
stands below the formulas. A page holds each glyph that it needs once, before its text.
"""

import importlib.metadata
import json
import re

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

CARRIER = "sphinx-mathjax-offline"
PARTS = (
    "startup", "core", "adaptors/liteDOM", "input/tex-full", "output/svg", "output/svg/fonts/tex",
    "a11y/assistive-mml",
)  # fmt: skip
SETTINGS = """
globalThis.global = globalThis;
globalThis.MathJax = {
    loader: {load: []}, startup: {typeset: false}, svg: {fontCache: "global"},
};
"""
START = "MathJax.config.loader.load = []; MathJax.startup.defaultReady();"
RENDER = """
(formulas) => {
    const { adaptor, output } = MathJax.startup;
    const pictures = formulas.map(([tex, display]) => {
        const made = MathJax.tex2svg(tex, { display });
        const fault = adaptor.tags(made, "merror")[0];
        return [adaptor.outerHTML(made), fault ? adaptor.textContent(fault) : ""];
    });
    return JSON.stringify([pictures, adaptor.outerHTML(output.fontCache.getCache())]);
}
"""
GLYPH = re.compile(r'<path id="MJX-TEX-([^"]+)"[^>]*></path>')
# What neither a browser nor a style sheet needs.
UNREAD = re.compile(r' (?:data-c|data-mml-node|data-mjx-texclass|xmlns|xmlns:xlink)="[^"]*"')
logger = logging.getLogger(__name__)


class Formulas:
    """The pictures of formulas, and the glyphs that they refer to.

    Attributes
    ----------
    pictures : dict
        (TeX, whether it is displayed) → (HTML, the error of MathJax or an empty text).
    glyphs : dict
        Name of a glyph → its path, as SVG.
    """

    def __init__(self):
        self.pictures, self.glyphs = {}, {}

    def render(self, formulas):
        """Render what is not rendered yet; starting MathJax takes two seconds."""
        new = [formula for formula in dict.fromkeys(formulas) if formula not in self.pictures]
        if not new:
            return
        root = importlib.metadata.distribution(CARRIER).locate_file(f"{CARRIER}/static/mathjax")
        with MiniRacer() as engine:
            engine.eval(SETTINGS)
            for part in PARTS:
                engine.eval((root / f"{part}.js").read_text(encoding="utf-8"))
            engine.eval(START)
            answer = engine.eval(f"({RENDER})({json.dumps(new)})")
        pictures, cache = json.loads(answer)
        self.pictures.update(zip(new, map(tuple, pictures), strict=True))
        self.glyphs.update((found[1], found[0]) for found in GLYPH.finditer(cache))

    def with_glyphs(self, body, prefix):
        """Return the text of a page behind its glyphs, whose names get a prefix.

        The text is HTML, and the glyphs are hidden SVG.
        """
        names = dict.fromkeys(re.findall(r'href="#MJX-TEX-([^"]+)"', body))
        if not names:
            return body
        paths = "".join(self.glyphs[name] for name in names)
        glyphs = f'<svg class="formula-glyphs" aria-hidden="true"><defs>{paths}</defs></svg>\n'
        return f"{glyphs}{body}".replace('"#MJX-TEX-', f'"#{prefix}').replace(
            '"MJX-TEX-', f'"{prefix}'
        )


FORMULAS = Formulas()


def tex_of(node):
    """Return (TeX, whether it is displayed) of a formula, with the lines that Sphinx allows."""
    text = node.astext()
    if isinstance(node, nodes.math):
        return text, False
    if node["nowrap"]:
        return text, True
    parts = [
        rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part
        for part in text.split("\n\n")
        if part.strip()
    ]
    if len(parts) == 1:
        return parts[0], True
    lines = r"\\".join(parts)
    return rf"\begin{{align}}\begin{{aligned}}{lines}\end{{aligned}}\end{{align}}", True


def render_all(app, builder):
    """Render the formulas of all pages at once."""
    if builder.format == "html":
        doctrees = map(app.env.get_doctree, sorted(app.env.found_docs))
        FORMULAS.render(
            tex_of(node)
            for doctree in doctrees
            for node in doctree.findall(lambda one: isinstance(one, nodes.math | nodes.math_block))
        )


def picture(node):
    """Return the HTML of a formula; one that MathJax does not read is a warning."""
    formula = tex_of(node)
    FORMULAS.render([formula])
    html, fault = FORMULAS.pictures[formula]
    if fault:
        logger.warning("MathJax: %s in the formula %r", fault, formula[0], location=node)
    return UNREAD.sub("", html).replace("xlink:href", "href")


def visit_inline(translator, node):
    """Write a formula inside a line."""
    html = picture(node)
    start = translator.starttag(node, "span", "", CLASS="math notranslate nohighlight")
    translator.body.append(f"{start}{html}</span>")
    raise nodes.SkipNode


def visit_display(translator, node):
    """Write a formula on a line of its own, with its number."""
    html = picture(node)
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(f"{html}</div>\n")
    raise nodes.SkipNode


def add_glyphs(app, pagename, templatename, context, doctree):
    """Put the glyphs before the text of a page.

    Their names differ from page to page, so that several pages can become one document.
    """
    if pagename in app.env.found_docs:
        number = sorted(app.env.found_docs).index(pagename)
        context["body"] = FORMULAS.with_glyphs(context["body"], f"f{number}-")


def setup(app):
    """Register with Sphinx."""
    app.add_html_math_renderer("svg", (visit_inline, None), (visit_display, None))
    app.config.html_math_renderer = "svg"
    app.connect("write-started", render_all)
    app.connect("html-page-context", add_glyphs)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
