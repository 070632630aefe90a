"""Say where to report an error: in the issue tracker of the repository, if the book has one.

``{issue-tracker}`` links it if `repository.url` is set in _config.yml. Otherwise its content is
shown.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class IssueTracker(SphinxDirective):
    """A paragraph that leads to the issue tracker."""

    has_content = True

    def run(self):
        """Return the paragraph."""
        repository = self.config.html_theme_options.get("repository_url")
        if not repository:
            return self.parse_content_to_nodes()
        address = f"{repository.rstrip('/')}/issues"
        link = nodes.reference(text="issue tracker", refuri=address)
        return [nodes.paragraph("", "Open an issue in the ", link, nodes.Text("."))]


def setup(app):
    """Add the directive."""
    app.add_directive("issue-tracker", IssueTracker)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
