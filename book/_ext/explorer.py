"""The directive ``explorer``: an interactive figure of `book/_static/explorer`, with its setting.

The first word says which tool; the content is the setting, as it stands in the explorer's address::

    ```{explorer} player
    :fields: stride padding
    op=conv2d&input=1x6x6&kernel_size=3
    ```
"""

import re
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

# The scripts that a tool needs; a page loads those of its figures, in this order.
ORDER = ["arithmetic", "address", "controls", "calculator", "player", "network", "figure"]
ORDER += ["small", "main"]
LAYER = {"arithmetic", "address", "controls", "figure", "main"}
SMALL = {"controls", "small", "main"}
SCRIPTS = {
    "explorer": LAYER | {"calculator", "player", "network"},
    "player": LAYER | {"player"},
    "calculator": LAYER | {"calculator", "network"},
    "receptive": LAYER | {"network"},
    "groups": SMALL,
    "rate": SMALL,
    "border": SMALL | {"arithmetic"},
    "norm": SMALL,
}


class Figure(nodes.General, nodes.Element):
    """An interactive figure."""


class Explorer(SphinxDirective):
    """Put an interactive figure here."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"fields": directives.unchanged_required, "address": directives.flag}

    def run(self):
        """Return the figure, or an error if there is no such tool."""
        tool = self.arguments[0]
        if tool not in SCRIPTS:
            raise self.error(f"explorer: {tool!r} is not one of {', '.join(SCRIPTS)}")
        setting = "".join(line.strip() for line in self.content)
        return [Figure(tool=tool, setting=setting, **self.options)]


def visit_html(translator, node):
    """Write the element, and before the first one of a page the scripts that the page needs.

    Scripts before the figure, and not at the end of the page: so it is drawn while the browser
    reads the page, and what follows does not move.
    """
    figures = list(node.document.findall(Figure))
    if node is figures[0]:
        needed = set().union(*(SCRIPTS[figure["tool"]] for figure in figures))
        page = translator.builder.get_target_uri(translator.builder.current_docname)
        folder = relative_uri(page, "_static/explorer/")
        translator.body.append(f'<link rel="stylesheet" href="{folder}explorer.css">\n')
        for name in sorted(needed, key=ORDER.index):
            translator.body.append(f'<script src="{folder}{name}.js"></script>\n')
    options = {"CLASS": "explorer", "data-tool": node["tool"], "data-setting": node["setting"]}
    if "fields" in node:
        options["data-fields"] = node["fields"]
    if "address" in node:
        options["data-address"] = ""
    translator.body.append(translator.starttag(node, "conv-explorer", "", **options))
    translator.body.append("<noscript>This figure needs JavaScript.</noscript></conv-explorer>\n")
    raise nodes.SkipNode


def visit_other(translator, node):
    """Leave the figure out where nothing can move."""
    raise nodes.SkipNode


# Lines that are comments or empty, comments at the end of a line, and indentation.
UNREAD = re.compile(
    r"^[\t\n]*/\*[\s\S]*?\*/\n|^[\t\n]*//.*\n|^[\t\n]+|[ \t]+// [^\n\"'`]*$", re.MULTILINE
)


def lighten(app, exception):
    """Leave out of the site's scripts what only their authors read: a tenth of their size."""
    if exception is None and app.builder.format == "html":
        for folder in ("explorer", "errors"):
            for path in Path(app.outdir, "_static", folder).glob("*.js"):
                path.write_text(UNREAD.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app):
    """Add the directive."""
    app.connect("build-finished", lighten)
    app.add_node(
        Figure, html=(visit_html, None), latex=(visit_other, None), text=(visit_other, None)
    )
    app.add_directive("explorer", Explorer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
