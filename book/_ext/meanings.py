"""List the causes of `convlab.explain`, or its silent mistakes, each with what it means.

``.. meanings:: CAUSES`` lists the dictionary `convlab.explain.CAUSES`. A name links to the section
of the book about it, where there is one.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from convlab import explain
from convlab.explain.book import anchor


class Meanings(SphinxDirective):
    """A list of the names and their meanings."""

    required_arguments = 1

    def run(self):
        """Return the list."""
        items = nodes.bullet_list(support_smartquotes=False)  # quotes are those of code
        for name, meaning in getattr(explain, self.arguments[0]).items():
            literal = nodes.literal(text=name)
            literal["cause"] = name
            paragraph = nodes.paragraph("", "", literal, nodes.Text(f": {meaning}"))
            items += nodes.list_item("", paragraph)
        return [items]


def link_to_sections(app, doctree, page):
    """Link the names whose sections exist, once all pages have been read."""
    labels = app.env.get_domain("std").anonlabels
    for literal in doctree.findall(nodes.literal):
        target = labels.get(anchor(literal["cause"])) if literal.get("cause") else None
        if target:
            uri = f"{app.builder.get_relative_uri(page, target[0])}#{target[1]}"
            link = nodes.reference("", "", literal.deepcopy(), internal=True, refuri=uri)
            literal.parent.replace(literal, link)


def setup(app):
    """Add the directive."""
    app.add_directive("meanings", Meanings)
    app.connect("doctree-resolved", link_to_sections)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
