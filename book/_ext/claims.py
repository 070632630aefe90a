"""Read what the five documents claim, and show the verdicts in the book.

`book/claims.yml` names the documents and their sections; `book/claims/` holds their claims, one
file per document, one row per claim. `tests/book/claims.py` runs the evidence of every row.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

BOOK = Path(__file__).resolve().parents[1]
VERDICTS = ("true", "false", "misleading", "incomplete", "outdated", "not checkable")


@dataclass(frozen=True)
class Claim:
    """What a document says, and what is right.

    Attributes
    ----------
    id : str
        As "D0-41": the document and a number.
    section : str
        The section of the document, a key of its ``sections``.
    says : str
        The claim, in our words.
    verdict : str
        One of `VERDICTS`.
    correction : str
        What is right; empty if nothing is to be said.
    taught_in : str
        Where the book teaches it, as "chapter#anchor".
    evidence : str
        Code that shows it; empty if the claim cannot be checked.
    prints : str
        What the evidence prints.
    also : dict of str to str
        Other ids of the same claim, each with its section.
    turn : tuple of two str, or empty
        A change of the evidence, old and new text, that turns its result. Given where a change of
        one number or name, as `tests/book/claims.py` tries them, does not turn it.
    """

    id: str
    section: str
    says: str
    verdict: str
    correction: str
    taught_in: str
    evidence: str = ""
    prints: str = ""
    also: dict[str, str] = field(default_factory=dict)
    turn: tuple[str, ...] = ()

    @property
    def places(self):
        """Map every id of the claim to its section."""
        return {self.id: self.section, **self.also}


def read_rows(path):
    """Read the claims of one file."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Claim(**{**row, "verdict": _word(row["verdict"])}) for row in rows]


def _word(verdict):
    """Give a verdict as text; without quotes, YAML reads two of them as truth values."""
    return str(verdict).lower() if isinstance(verdict, bool) else verdict


@cache
def _read_claims(paths, _modified):
    return [claim for path in paths for claim in read_rows(path)]


def read_claims():
    """Read all claims, in the order of the documents."""
    paths = tuple(sorted((BOOK / "claims").glob("*.yml")))
    return _read_claims(paths, tuple(path.stat().st_mtime_ns for path in paths))


def read_documents():
    """Read what is known of the five documents: ids, pages, names, sections, contradictions."""
    return yaml.safe_load((BOOK / "claims.yml").read_text(encoding="utf-8"))


def anchors(page):
    """Map the anchors of the headings of a notebook to the texts of the headings.

    An anchor is a target above the heading or what its text becomes in an address.
    """
    return _anchors(path := BOOK / f"{page}.ipynb", path.stat().st_mtime_ns)


@cache
def _anchors(path, _modified):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(one["source"]) for one in cells if one["cell_type"] == "markdown")
    text = re.sub(r"^(```+).*?^\1", "", text, flags=re.M | re.S)
    found = {}
    for targets, heading in re.findall(r"((?:^\([\w-]+\)=\n+)*)^#+ (.+)$", text, re.M):
        names = [*re.findall(r"\(([\w-]+)\)=", targets), nodes.make_id(_plain(heading))]
        found |= dict.fromkeys(names, heading)
    return found


def _plain(heading):
    return re.sub(r"[`*$]|\]\(.*?\)|\[", "", heading)


def chapters_with_claims():
    """List the pages in which claims are taught."""
    return {claim.taught_in.partition("#")[0] for claim in read_claims()}


class _Claims(SphinxDirective):
    """What the directives share: one claim as a box."""

    def note_files(self):
        """Note that the page depends on the claims."""
        for path in (BOOK / "claims.yml", *(BOOK / "claims").glob("*.yml")):
            self.env.note_dependency(str(path))

    def parse(self, text, *classes):
        """Parse Markdown into a container."""
        box = nodes.container(classes=list(classes))
        self.state.nested_parse(StringList(text.splitlines(), "claims"), self.content_offset, box)
        return box

    def taught(self, claim):
        """Link the section that teaches what is right, with its chapter if that is another page."""
        page, _, anchor = claim.taught_in.partition("#")
        known = anchors(page)
        if anchor not in known:
            raise self.error(f"{claim.id} is taught in {claim.taught_in}, which does not exist")
        text, title = _plain(known[anchor]), _plain(next(iter(known.values()))).partition(":")[0]
        if page != Path(self.env.docname).name and text != title:
            text = f"{title} > {text}"
        return _link(text, f"{page}.html#{anchor}")

    def documents(self, claim):
        """Link the sections of the documents that say it."""
        pages = {one["id"]: one for one in read_documents()["documents"]}
        links = {}
        for name, section in claim.places.items():
            document = pages[name[:2]]
            heading = document["sections"][section]
            text = f"document {name[1]}, {heading['title']}"
            link = _link(text, f"{document['page']}.html#{name.lower()}")
            links.setdefault(text, [nodes.Text(", "), link, *_original(heading)])
        return [part for parts in links.values() for part in parts][1:]

    def box(self, claim, names, *, evidence, way, labels=False):
        """Show a claim: verdict, what is said, what is right, evidence, and where to go on.

        Parameters
        ----------
        claim : Claim
            The claim.
        names : iterable of str
            The ids to show.
        evidence : bool
            Whether to show the code, folded, and what it prints; else they are linked.
        way : list of nodes
            Where to go on from here.
        labels : bool
            Whether other pages link to this box.
        """
        word = claim.verdict.replace(" ", "-")
        box = nodes.container(
            classes=[
                "claim",
                f"claim-{word}",
                *(f"claim-{one[:2].lower()}" for one in claim.places),
            ],
            ids=[name.lower() for name in names],
        )
        if labels:
            box["names"] = box["ids"][:]
            self.state.document.note_explicit_target(box)
        head = self.parse(claim.says, "claim-says")
        mark = nodes.inline("", claim.verdict, classes=["claim-verdict"])
        head[0].insert(0, [mark, nodes.Text(" ")])
        head[0] += [
            nodes.Text(" "),
            _link(
                ", ".join(names),
                f"{'' if labels else 'claims.html'}#{claim.id.lower()}",
                classes=["claim-id"],
            ),
        ]
        box += head
        if claim.correction:
            box += self.parse(claim.correction, "claim-correction")
        if evidence and claim.evidence:
            box += nodes.raw("", "<details><summary>Evidence</summary>", format="html")
            # Colours would more than double the size of the page of all claims.
            box += _code(claim.evidence, "none" if labels else "python")
            if claim.prints.strip():
                box += _code(claim.prints, "none")
            box += nodes.raw("", "</details>", format="html")
        box += nodes.paragraph("", "", *way, classes=["claim-way"])
        return box


def _original(heading):
    """Give the Chinese words of a heading, marked as such, in brackets; nothing if it has none."""
    if heading["original"].isascii():
        return []
    words = nodes.inline("", heading["original"], classes=["language-zh"])  # becomes lang="zh"
    return [nodes.Text(" ("), words, nodes.Text(")")]


def _link(text, address, **attributes):
    return nodes.reference("", text, refuri=address, internal=True, **attributes)


def _code(text, language):
    return nodes.literal_block(text.rstrip(), text.rstrip(), language=language)


# Open stands what is wrong; the other claims are folded, each kind under its number.
FOLDED = {
    "incomplete": "right but incomplete",
    "not checkable": "not checkable",
    "true": "right as said",
}


def _fold(boxes):
    """Put the boxes of wrong claims first, and fold the others; takes pairs (claim, box)."""
    shown = [box for claim, box in boxes if claim.verdict not in FOLDED]
    for verdict, words in FOLDED.items():
        if folded := [box for claim, box in boxes if claim.verdict == verdict]:
            number = f"{len(folded)} {'claim' if len(folded) == 1 else 'claims'}"
            opening = f"<details><summary>{number}, {words}</summary>"
            shown += [nodes.raw("", opening, format="html"), *folded]
            shown.append(nodes.raw("", "</details>", format="html"))
    return shown


class ChapterClaims(_Claims):
    """Show the claims that a chapter teaches or corrects."""

    def run(self):
        self.note_files()
        page = Path(self.env.docname).name
        boxes, here = [], set()
        for one in read_claims():
            if one.taught_in.partition("#")[0] == page:
                way = [nodes.Text("Said in "), *self.documents(one), nodes.Text("; taught in ")]
                way.append(self.taught(one))
                boxes.append((one, self.box(one, one.places, evidence=True, way=way)))
                here |= set(one.places)
        text = (BOOK / f"{page}.ipynb").read_text(encoding="utf-8")
        linked = {name.upper() for name in re.findall(r"\]\(#(d\d-\d\d)\)", text)} - here
        shown = _fold(boxes)
        if linked:
            links = ", ".join(f"[{name}](#{name.lower()})" for name in sorted(linked))
            shown.append(self.parse(f"Also spoken of here, taught elsewhere: {links}."))
        return shown


class AllClaims(_Claims):
    """Show all claims, each with an address of its own."""

    def run(self):
        self.note_files()
        box = nodes.container(classes=["claims-all"])
        for one in read_claims():
            way = [nodes.Text("Said in "), *self.documents(one), nodes.Text("; taught in ")]
            way.append(self.taught(one))
            box += self.box(one, one.places, evidence=True, way=way, labels=True)
        return [box]


def _of(document):
    """List the claims of a document, as (section, ids, claim), in the order of its sections."""
    sections, found = list(document["sections"]), {}
    for claim in read_claims():
        for name, section in claim.places.items():
            if name.startswith(document["id"]):
                found.setdefault((section, claim.id), ([], claim))[0].append(name)
    rows = [(section, names, claim) for (section, _), (names, claim) in found.items()]
    return sorted(rows, key=lambda row: sections.index(row[0]))  # stable: as in the file


def _claims(rows):
    return list({claim.id: claim for *_, claim in rows}.values())


def _counts(claims):
    """Count verdicts: {verdict: number}, in the order of `VERDICTS`."""
    return {word: sum(one.verdict == word for one in claims) for word in VERDICTS}


class DocumentClaims(_Claims):
    """Go through a document section by section: its claims, what is right, where it is taught."""

    required_arguments = 1

    def run(self):
        self.note_files()
        documents = {one["id"]: one for one in read_documents()["documents"]}
        document = documents[self.arguments[0]]
        rows = _of(document)
        shown = [self.parse(_introduction(document)), _linked_counts(document, _claims(rows))]
        for key, heading in document["sections"].items():
            part = nodes.section(ids=[f"section-{nodes.make_id('s' + key)}"])
            part["names"] = []
            number = f"{key} " if key[0].isdigit() and key != "0" else ""
            part += nodes.title("", number + heading["title"], *_original(heading))
            here = []
            for section, names, claim in rows:
                if section == key:
                    way = [nodes.Text("Taught in "), self.taught(claim)]
                    here.append((claim, self.box(claim, names, evidence=False, way=way)))
            part += _fold(here)
            if not here:
                part += nodes.paragraph("", "Nothing in this section can be checked.")
            shown.append(part)
        return shown


def _introduction(document):
    address = f" at <{document['address']}>" if "address" in document else ""
    published = f", published on {document['published']}" if "published" in document else ""
    return (
        f"[{document['title']}]{{.language-zh}}{published}{address}. Read this page beside it: "
        "section by section, what it says, whether that is right, and where this book teaches it. "
        "The number of a claim leads to its evidence, code that our tests run."
    )


def _linked_counts(document, claims):
    """Count the claims of a document; each number leads to the list of these claims."""
    line = nodes.paragraph("", f"{len(claims)} claims: ")
    for word, number in _counts(claims).items():
        if number:
            query = f"?document={document['id'].lower()}&verdict={word.replace(' ', '-')}"
            line += [_link(f"{number} {word}", f"claims.html{query}#all-claims"), nodes.Text(", ")]
    line[-1] = nodes.Text(".")
    return line


class ClaimCounts(_Claims):
    """Count the claims by verdict and document."""

    def run(self):
        self.note_files()
        documents = read_documents()["documents"]
        columns = [_counts(_claims(_of(document))) for document in documents]
        columns.append(_counts(read_claims()))
        links = [f"[{one['id'][1]}]({one['page']}.md)" for one in documents]
        lines = ["| Document | " + " | ".join([*links, "all"]) + " |"]
        lines.append("|:--|" + "--:|" * len(columns))
        for word in VERDICTS:
            lines.append(f"| {word} | " + " | ".join(str(one[word]) for one in columns) + " |")
        totals = (str(sum(one.values())) for one in columns)
        lines.append("| **all** | " + " | ".join(totals) + " |")
        return [self.parse("\n".join(lines), "claims-counts")]


class Contradictions(_Claims):
    """List where the documents contradict each other, and who is right."""

    def run(self):
        self.note_files()
        lines = []
        for row in read_documents()["contradictions"]:
            links = ", ".join(f"[{name}](#{name.lower()})" for name in row["claims"])
            lines.append(f"- {row['about']} ({links}): {row['right']}")
        fold = f"<details><summary>{len(lines)} contradictions</summary>"
        ends = [nodes.raw("", part, format="html") for part in (fold, "</details>")]
        return [ends[0], self.parse("\n".join(lines)), ends[1]]


class Documents(_Claims):
    """List the documents as links to their pages."""

    def run(self):
        self.note_files()
        lines = []
        for document in read_documents()["documents"]:
            counts = _counts(_claims(_of(document)))
            wrong = counts["false"] + counts["misleading"] + counts["outdated"]
            lines.append(
                f"- [Document {document['id'][1]}: {document['name']}]({document['page']}.md) "
                f"([{document['title']}]{{.language-zh}}). {sum(counts.values())} claims: {wrong} "
                f"wrong, misleading or outdated, {counts['incomplete']} incomplete"
            )
        return [self.parse("\n".join(lines))]


def setup(app):
    """Register with Sphinx."""
    app.add_directive("chapter-claims", ChapterClaims)
    app.add_directive("all-claims", AllClaims)
    app.add_directive("document-claims", DocumentClaims)
    app.add_directive("claim-counts", ClaimCounts)
    app.add_directive("contradictions", Contradictions)
    app.add_directive("documents", Documents)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
