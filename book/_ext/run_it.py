"""Let readers run a page: buttons for Colab and Binder, and the cell that installs the package.

The setting ``repository`` of ``_config.yml`` decides: without it there are no buttons. Every
notebook begins with the cell that `setup_source` returns, which ``tools/setup_cells.py`` writes and
the site does not show. It stands in the notebooks of the repository, because Colab and Binder open
these, not those of the site. In the copies that the site offers for download, it installs the
commit that the site was built from, where those of the repository name a branch.
"""

import json
import subprocess
from pathlib import Path

import convlab

PACKAGE = "convlab-book[book]"  # with what the chapters import
BINDER, COLAB = "https://mybinder.org", "https://colab.research.google.com"

SOURCE = """# {comment}
try:
    from convlab import __version__ as installed
except ImportError:
    installed = None
if installed != "{version}":
{action}"""
INSTALL = """    import subprocess
    import sys

    package = ("{package}"
               "{origin}")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", package]
    subprocess.run(pip, check=True)
    sys.modules.pop("convlab", None)  # another version"""
REFUSE = """    raise ImportError(
        'This notebook needs convlab {version}: run  pip install ".[book]"  in a '
        "copy of the book's repository, and start it with the same Python.")"""


def setup_source(url, branch, on_index, version=convlab.__version__):
    """Return the source of the first cell of each notebook.

    Parameters
    ----------
    url : str
        The repository, or an empty text.
    branch : str
        A branch, a tag or a commit of it.
    on_index : bool
        Whether this version can be installed from the package index.
    version : str
        The version that the notebook needs.
    """
    if on_index or url:
        origin = f"=={version}" if on_index else f" @ git+{url.rstrip('/')}@{branch}"
        comment = f"Install convlab {version} and what this book imports, if it is not there."
        action = INSTALL.format(package=PACKAGE, origin=origin)
    else:
        comment = f"Stop here if convlab {version}, on which this notebook runs, is missing."
        action = REFUSE.format(version=version)
    return SOURCE.format(comment=comment, version=version, action=action)


def choose_buttons(app, config):
    """Offer Colab and Binder if the repository is known."""
    options = config.html_theme_options
    options.setdefault("launch_buttons", {})
    if options.get("repository_url"):
        options["launch_buttons"]["binderhub_url"] = BINDER
        if "github.com/" in options["repository_url"]:
            options["launch_buttons"]["colab_url"] = COLAB  # which opens no others
    else:  # the theme would take its own repository, or fail
        options.pop("repository_url", None)


def name_buttons(app, pagename, templatename, context, doctree):
    """Say on the buttons of the theme what they do."""
    for group in context["header_buttons"]:
        if group.get("label") == "launch-buttons":
            for button in group["buttons"]:
                button["text"] = f"Open in {button['text']}"


def commit_of(folder):
    """Return the commit that is checked out in a folder, or None where git does not know."""
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def name_the_commit(app, exception):
    """Let the downloaded notebooks install the commit that the site was built from."""
    options = app.config.html_theme_options
    url, branch = options.get("repository_url", ""), options.get("repository_branch", "")
    commit = commit_of(app.srcdir)
    if exception or app.builder.format != "html" or not url or not commit:
        return
    stored = setup_source(url, branch, app.config.on_package_index)
    named = setup_source(url, commit, app.config.on_package_index)
    for path in Path(app.outdir, "_sources").rglob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        first = notebook["cells"][0]
        if "".join(first["source"]) == stored:
            first["source"] = named.splitlines(keepends=True)
            text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
            path.write_text(text, encoding="utf-8")


def setup(app):
    """Register the setting and the buttons."""
    app.add_config_value("on_package_index", False, "env", types=[bool])
    app.connect("config-inited", choose_buttons)
    app.connect("html-page-context", name_buttons, priority=502)  # the theme's are at 501
    app.connect("build-finished", name_the_commit)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
