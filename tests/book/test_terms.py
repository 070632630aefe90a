"""Check that a word of the glossary is explained or linked before a chapter uses it.

Each entry of the glossary names the section that teaches its word. Wherever the word stands in an
earlier chapter, its first use there is a link, to the glossary or to a section, or in italics, as
a word is that the sentence explains.
"""

import json
import re

import pytest
import yaml

from convlab.check import CHAPTERS, EXERCISES
from tests.book.book_files import ROOT

ENTRY = re.compile(r"((?:^\S.*\n)+)^  (.*)$", re.MULTILINE)
# A link to the glossary, a link to a section, words in italics, an argument in a table of them.
LINK = re.compile(
    r"\{term\}`[^`]*`|\[[^\[\]]+\]\([^)]+\)|(?<!\*)\*[^*\n]+\*(?!\*)|<code>[^<]*</code>"
)
CODE = re.compile(
    r"```.*?```|\{[\w:]+\}`[^`]*`|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|<code>.*?</code>|<[^>\n]*>",
    re.DOTALL,
)


def glossary():
    """Map the words of each entry to the section that teaches them."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    body = text.partition("```{glossary}\n")[2].partition("\n```")[0]
    entries = {}
    for names, definition in ENTRY.findall(body):
        target = re.search(r"See \[\]\(#([\w-]+)\)", definition)
        entries[tuple(names.split("\n")[:-1])] = target and target[1]
    return entries


def read_chapters():
    """List (chapter, targets above the heading, text without code) in reading order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [part for part in toc["parts"] if "numbered" in part]
    for file in (chapter["file"] for part in parts for chapter in part["chapters"]):
        cells = json.loads((ROOT / f"{file}.ipynb").read_text(encoding="utf-8"))["cells"]
        text = "\n\n".join(
            "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
        )
        # The opening says what one will be able to do, in words that are still to be explained.
        _opening, _, rest = text.partition("\n\n:::{chapter-head}")
        for part in re.split(r"^(?=(?:\([\w-]+\)=\n)*#{2,3} )", rest, flags=re.MULTILINE):
            if re.search(r"^## Further reading", part, re.MULTILINE):
                continue
            targets = re.findall(r"^\(([\w-]+)\)=$", part, re.MULTILINE)
            yield file, set(targets), part


def read_hints(chapter):
    """Yield what the exercises of a chapter say beyond the cells of its notebook."""
    for exercise in EXERCISES.values():
        if exercise.chapter == chapter:
            yield from [*exercise.hints, exercise.explanation]
            yield from (mistake.hint for mistake in exercise.mistakes)


SECTIONS = list(read_chapters())
PLACES = {target: i for i, (_, targets, _) in enumerate(SECTIONS) for target in targets}
HINTS = {f"book/{chapter}": " ".join(read_hints(chapter)) for chapter in CHAPTERS}


def first_use(name, text):
    """Find the first use of a word: None, "link", or the words around it."""
    stem = re.escape(name).replace(r"\ ", r"[\s-]")
    pattern = re.compile(rf"(?<![\w-]){stem}(?:s|es)?(?![\w-])", re.IGNORECASE)
    links = [match.span() for match in LINK.finditer(text) if pattern.search(match[0])]
    plain = CODE.sub(lambda match: " " * len(match[0]), text)
    plain = re.sub(r"^#+ .*$", lambda match: " " * len(match[0]), plain, flags=re.MULTILINE)
    found = pattern.search(plain)
    if found is None or (links and links[0][0] <= found.start()):
        return None
    return plain[max(0, found.start() - 60) : found.end() + 40].replace("\n", " ")


def test_every_entry_leads_to_the_section_that_teaches_it():
    missing = [names[0] for names, target in glossary().items() if target not in PLACES]
    assert missing == ["layer"]  # the book is about nothing else


@pytest.mark.parametrize("names", glossary(), ids=lambda names: names[0])
def test_a_word_is_linked_where_it_stands_before_its_explanation(names):
    taught = PLACES.get(glossary()[names], 0)
    texts = {}
    for file, _, text in SECTIONS[:taught]:
        if file != SECTIONS[taught][0]:  # inside its own chapter the explanation is near
            texts[file] = texts.get(file, "") + "\n\n" + text
    for file in texts:
        texts[file] += "\n\n" + HINTS[file]
    uses = {file: use for file, text in texts.items() for n in names if (use := first_use(n, text))}
    assert uses == {}
