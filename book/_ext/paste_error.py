"""The directive ``paste-error``: a field that finds the entry of a pasted error on its page.

It takes nothing; the scripts are those of `book/_static/errors`::

    ```{paste-error}
    ```
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

SCRIPTS = ("traceback", "messages", "arguments", "training", "match", "field")


class Field(nodes.General, nodes.Element):
    """A field for an error."""


class PasteError(SphinxDirective):
    """Put the field here."""

    def run(self):
        """Return the field."""
        return [Field()]


def visit_html(translator, node):
    """Write the scripts and the element, which they fill while the browser reads the page."""
    page = translator.builder.get_target_uri(translator.builder.current_docname)
    folder = relative_uri(page, "_static/errors/")
    translator.body.append(f'<link rel="stylesheet" href="{folder}errors.css">\n')
    for name in SCRIPTS:
        translator.body.append(f'<script src="{folder}{name}.js"></script>\n')
    translator.body.append(translator.starttag(node, "paste-error", ""))
    translator.body.append("<noscript>This field needs JavaScript.</noscript></paste-error>\n")
    raise nodes.SkipNode


def visit_other(translator, node):
    """Leave the field out where nothing can be typed."""
    raise nodes.SkipNode


def setup(app):
    """Add the directive."""
    app.add_node(
        Field, html=(visit_html, None), latex=(visit_other, None), text=(visit_other, None)
    )
    app.add_directive("paste-error", PasteError)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
