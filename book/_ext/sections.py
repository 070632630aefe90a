"""Write the texts of all sections into a script, so that the search finds sections, not pages.

`book/_static/search.js` reads it. A script, and not JSON: a page that is opened as a file may
load the one and not the other. The texts are compressed, to a third of their size.
"""

import base64
import gzip
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes

# Where the same words stand on several pages, the one that explains them comes first.
WEIGHTS = {
    "glossary": 0.7,
    "teaching": 0.5,
    "worksheet": 0.3,
    "worksheet-solutions": 0.3,
    "references": 0.3,
    "cheat-sheets": 0.5,
    "api-plots": 0.4,
    "claims": 0.4,
}
# These repeat the claims, which are found on the page of all claims.
REPEATED = "What the documents say, checked"
SKIPPED = (nodes.section, nodes.title, nodes.math_block, nodes.comment)


def _texts(node):
    """Collect the prose, the code and the outputs below a node, without those of sections."""
    prose, code = [], []

    def visit(child):
        if isinstance(child, SKIPPED):
            return
        if isinstance(child, nodes.container) and "claim" in child["classes"]:
            return
        if isinstance(child, nodes.literal_block):
            if not child.astext().startswith("<"):  # the text form of a figure
                code.append(child.astext())
        elif isinstance(child, nodes.paragraph | nodes.caption | nodes.term):
            prose.append(child.astext())
        else:
            if isinstance(child, nodes.image):
                prose.append(child.get("alt", ""))
            for grandchild in child.children:
                visit(grandchild)

    for child in node.children:
        visit(child)
    return " ".join(prose), " ".join(code)


def _places(doctree):
    """Yield the parts of a page that have an address: node that has the id, its title, its body."""
    for section in doctree.findall(nodes.section):
        if (title := section[0].astext()) != REPEATED:
            yield section["ids"], title, section
    for claim in doctree.findall(lambda node: isinstance(node, nodes.container) and node["names"]):
        if "claim" in claim["classes"]:  # their code would be found for every name in PyTorch
            parts = [part for part in claim.children if isinstance(part, nodes.container)]
            verdict, name = parts[0][0][0].astext(), claim["ids"][0].upper()
            yield claim["ids"], f"Claim {name}: {verdict}", nodes.container("", *parts)
    for item in doctree.findall(nodes.definition_list_item):
        terms = [child for child in item.children if isinstance(child, nodes.term)]
        if ids := terms[0]["ids"]:
            yield ids, ", ".join(term.astext() for term in terms), item
    for entry in doctree.findall(addnodes.desc):
        if ids := entry[0]["ids"]:
            yield ids, entry[0].get("fullname", ids[0]), entry


def _sections(env):
    """List page, address, titles and texts of all parts of all pages."""
    for docname in sorted(env.found_docs):
        doctree, weight = (
            env.get_doctree(docname),
            WEIGHTS.get(name := Path(docname).name, 0.6 if name.startswith("api") else 1.0),
        )
        page = env.titles[docname].astext()
        for index, (ids, title, node) in enumerate(_places(doctree)):
            prose, code = _texts(node)
            yield {
                "id": f"{docname}#{ids[0] if index else ''}",
                "page": page,
                "title": title,
                "name": "" if index else Path(docname).name,
                "text": re.sub(r"\s+", " ", prose),
                "code": re.sub(r"\s+", " ", code),
                "weight": weight * (0.4 if title == "Further reading" else 1),
            }


def write_sections(app, exception):
    """Write the script, once the pages are written."""
    if exception is None and app.builder.format == "html":
        sections = json.dumps(list(_sections(app.env)), ensure_ascii=False).encode()
        packed = base64.b64encode(gzip.compress(sections, mtime=0)).decode()
        path = Path(app.outdir, "_static", "sections.js")
        path.write_text(f'window.SECTIONS = "{packed}";\n', encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", write_sections)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
