"""The lists of causes and of silent mistakes on the API page are those of the package."""

import re

from convlab.explain import CAUSES, MISTAKES
from convlab.explain.book import anchor


def test_every_name_is_listed_and_links_to_its_section(site):
    page = (site / "book" / "api-explain.html").read_text(encoding="utf-8")
    catalogue = site / "book" / "errors.html"
    sections = catalogue.read_text(encoding="utf-8") if catalogue.exists() else ""
    text = re.sub(r"<[^>]+>", "", page)
    for name, meaning in (CAUSES | MISTAKES).items():
        assert f"{name}: {meaning}" in text.replace("&#39;", "'")
        if f'id="{anchor(name)}"' in sections:
            assert f'href="errors.html#{anchor(name)}"' in page
