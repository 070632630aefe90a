"""Pack the built site into a zip file, to be read from a folder without a network or a server.

The same site gives the same bytes::

    python tools/zip_site.py [SITE [ZIP]]
"""

import sys
import zipfile
from pathlib import Path

FOLDER = "convlab-book"
# What only Sphinx reads: it links other projects to this one, and builds the site again.
UNREAD = {".buildinfo", "objects.inv"}
README = """What nn.Conv2d really does

Open index.html in a browser. Everything works from this folder: formulas, search, interactive
figures and exercises. The notebooks that the pages offer for download are in _sources/book.
"""


def zip_site(site, target):
    """Write the site into a zip file.

    Raises
    ------
    FileNotFoundError
        If there is no built site.
    """
    if not (site / "index.html").is_file():
        raise FileNotFoundError(f"{site} has no index.html: build the site first, with 'make book'")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name, content):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)

        add("README.txt", README)
        for path in sorted(site.rglob("*")):
            if path.is_file() and path.name not in UNREAD:
                add(path.relative_to(site).as_posix(), path.read_bytes())


def main(site="_build/html", target="_build/convlab-site.zip"):
    """Pack the site."""
    zip_site(Path(site), Path(target))
    print(f"{target}: {Path(target).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
