"""Print the book: ``python -m tools.paper [SITE [PDF]]``."""

import sys
from pathlib import Path

from tools.paper.printing import NoBrowser, print_book


def main(site="_build/html", target="_build/convlab.pdf"):
    """Print the built site into a PDF."""
    try:
        pdf = print_book(Path(site))
    except (NoBrowser, FileNotFoundError) as error:
        sys.exit(str(error))
    Path(target).write_bytes(pdf)
    print(f"{target}: {len(pdf) / 1e6:.1f} MB")


main(*sys.argv[1:])
