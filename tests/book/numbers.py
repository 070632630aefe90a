"""Look for the evidence of every number that the text states in digits.

A number in prose, in a table, a caption or an alternative text passes if a cell of its section
prints it, draws it or computes with it, or if `numbers.yml` gives a reason. Run as a program, the
module changes numbers at random, one at a time, and reports how many of the changes it notices:

    python -m tests.book.numbers --mutate 2000 --seed 0
"""

import argparse
import json
import random
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

import yaml

from tests.book.book_files import ROOT

RULES = Path(__file__).with_name("numbers.yml")
PAGES = [
    *(f"book/{path.name}" for path in sorted((ROOT / "book").glob("*.ipynb"))),
    *(f"book/{path.name}" for path in sorted((ROOT / "book").glob("*.md"))),
    *("README.md", "CONTRIBUTING.md", "benchmarks/README.md"),
]

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
SOURCES = ("code", "drawing")
SCALES = {"thousand": 1e3, "million": 1e6, "millions": 1e6, "billion": 1e9, "%": 0.01, "ms": 1e-3}
DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
NUMBER = re.compile(
    rf"(?P<digits>{DIGITS})(?P<power>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?(?:\s?[·×]\s?10(?P<exponent>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+))?"
    r"(?:\s?(?P<scale>thousand|millions?|billion|%|per cent|ms)(?!\w))?"
)
NAME = re.compile(r"(?<!\w)(?:[A-Za-z_]+|[A-Z]\w*-)\d[\w-]*(?:\.\d+)*")
# The five documents and their claims are numbered.
DOCUMENT = re.compile(r"\b[Dd]ocuments?\s[0-4](?:(?:,\s[0-4])*\sand\s[0-4])?\b|\bD[0-4]-\d\d\b")
# Settings for the explorer are examples, and nothing that is said.
ADDRESS = re.compile(r"""\b(?:href|data-setting)="[^"]*\"""")
# Numbers in code and outputs. A letter before the digits makes a name of them, as in float32.
COMPUTED = re.compile(
    r"(?:(?<![\w.])|(?<=\dx))(?:\d{1,3}(?:,\d{3})+(?!\d)|\d[\d_]*)(?:\.\d+)?(?:e[+-]?\d+)?"
    r"|(?<![\w.])\.\d+"
)
# What code says about the look of its output, comments and random seeds: evidence of nothing.
LAYOUT = re.compile(
    r":[<>^+]?\d*,?(?:\.\d)?[a-z%]?(?=})|#.*$|\bsubplots\([\d, ]*|(?:default_rng|seed)\(\d+\)"
    r"|\b(?:figsize|linewidth|alpha|fontsize|markersize|axis|dim|columns)=\(?[\d., ]+\)?"
    r"|(?<=\w)\[[-\d:, .]+\]",
    re.MULTILINE,
)

# The text form of a figure; that of convlab.plots lists what is written in it.
DRAWN = re.compile(r"<Drawing: (.*)>|<Figure size .*>")

FENCE = re.compile(r"^(?P<fence>```+)(?P<info>[^\n]*)\n(?P<body>.*?)^(?P=fence)", re.M | re.S)
FENCE_LINE = re.compile(r"^```.*$", re.MULTILINE)
PROSE = re.compile(r"\{(?:note|tip|warning|admonition|glossary|important)\}")
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|\{math\}`[^`]*`", re.DOTALL)
CODE = re.compile(r"(?:\{[\w:]+\})?(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
MARKUP = re.compile(
    r"\]\([^)\s]*\)|<https?:[^>]*>|^\([\w-]+\)=$|^:::.*$|^:[\w-]+:.*$|<!--(?s:.*?)-->"
    r"|^\s*\d+\. |^\*\*\d+\. |^#+ (?:Rung )?\d+[.:]"
    r"|\b[Dd]ocument [0-4]\b|\[[0-4]\]\(#d[0-4]-\d\d\)",  # the names of the five documents
    re.MULTILINE,
)
CITED = re.compile(r"\{cite(?::\w)?\}`|\]\(https?:|<https?:")
SENTENCE = re.compile(r"(?<=[.!?:;])[)*\"”]*\s+(?=\S)|\n\s*\n|\n(?=\s*[-|\d])|\|")

# Numbers that are checked together: sizes, lists, fractions, equations, settings.
SIZE = re.compile(r"(?<![\w.,])\d+(?:(?:\s?[×x]\s?| by )\d+(?!\w))+")
LIST = re.compile(rf"(?<![\w.,/]){DIGITS}(?:(?:, and |, | and | / | )−?{DIGITS}(?![\w%/])){{2,}}")
PAIR = re.compile(rf"(?<![\w.,/·+−-]){DIGITS} (and|or|to) {DIGITS}(?![\w%])")
FRACTION = re.compile(r"(?<![\w.,/])(\d+)/(\d+)(?![\w.,/]*\d)")
EQUATION = re.compile(
    r"(?=[\d(−-])([\d.,()+·×*/−\s-]*[+·×*/−-][\d.,()+·×*/−\s-]*)=\s*(−?[\d.,]*\d)"
)
SETTING = re.compile(
    r"\b(stride|padding|dilation|groups)s?(?:=| )\(?(\d+)(?:, (\d+)\))?|\b(\d+) (groups)\b"
)


@dataclass(frozen=True)
class Block:
    """A piece of a page: text, a caption, an alternative text, or code with its outputs."""

    kind: str  # "text", "caption", "alt"; "code" or "drawing"
    text: str
    section: tuple[str, ...]  # the headings above it
    cell: int

    @cached_property
    def prose(self) -> str:
        """The text without code, formulas and addresses; the rest stays at its place."""
        text = FENCE.sub(
            lambda m: FENCE_LINE.sub(blank, m[0]) if PROSE.match(m["info"]) else blank(m),
            self.text,
        )
        for pattern in (FORMULA, CODE, MARKUP):
            text = pattern.sub(blank, text)
        return text

    @cached_property
    def computing(self) -> str:
        """Code and its outputs; of text, its formulas and the code in it."""
        if self.kind in SOURCES:
            return LAYOUT.sub("", self.text)
        quoted = (m[0] for pattern in (FORMULA, CODE) for m in pattern.finditer(self.text))
        return "\n".join(quoted)

    @cached_property
    def values(self) -> list[float]:
        """The numbers of the code, in order."""
        return list(computed(self.computing))


@dataclass(frozen=True)
class Number:
    """A number as it is written: its value, the value of its last digit, significant digits."""

    value: float
    unit: float
    digits: int
    scale: float

    @classmethod
    def of(cls, match: re.Match[str]) -> "Number":
        """Read a match of NUMBER."""
        digits = match["digits"].replace(",", "")
        value, unit = float(digits), 10.0 ** -len(digits.partition(".")[2])
        if match["power"]:
            value, unit = value ** int(match["power"].translate(SUPERSCRIPTS)), 0.0
        if match["exponent"]:
            factor = 10.0 ** int(match["exponent"].translate(SUPERSCRIPTS))
            value, unit = value * factor, unit * factor
        scale = SCALES.get((match["scale"] or "").replace("per cent", "%"), 1.0)
        return cls(value, unit, len(digits.replace(".", "").lstrip("0")) or 1, scale)

    @property
    def small(self) -> bool:
        """Whether it is an integer of a size that occurs in many cells by chance."""
        return self.unit == 1 and self.value <= 100

    def is_among(self, values: list[float]) -> bool:
        """Tell whether a sorted list has the value, rounded to the digits that are written."""
        rounded = self.digits > 1 or self.unit < 1
        for scale in {self.scale, 1.0 if self.scale < 1 or self.unit < 1 else self.scale}:
            value = self.value * scale
            slack = 1e-9 * value + (self.unit * scale / 2 if rounded else 0.0)
            place = bisect_left(values, value - slack)
            if place < len(values) and values[place] <= value + slack:
                return True
        return False


def blank(match: re.Match[str]) -> str:
    """Replace a match by spaces."""
    return re.sub(r"[^\n]", " ", match[0])


def computed(text: str) -> Iterator[float]:
    """Yield the numbers of code, outputs and formulas."""
    for match in COMPUTED.finditer(text):
        yield float(match[0].replace(",", "").replace("_", ""))


@cache
def values_of_file(path: Path) -> list[float]:
    """Sort the numbers of a file."""
    return sorted(computed(path.read_text(encoding="utf-8")))


def numbers_in(text: str) -> list[Number]:
    """Read the numbers of a text."""
    return [Number.of(match) for match in NUMBER.finditer(text)]


def covering(pattern: re.Pattern[str], text: str, place: int) -> re.Match[str] | None:
    """Find the match of a pattern that covers a place."""
    return next((m for m in pattern.finditer(text) if m.start() <= place < m.end()), None)


def sentence_at(text: str, place: int) -> str:
    """Cut out the sentence, or the cell of a table, that covers a place."""
    start = max((m.end() for m in SENTENCE.finditer(text, 0, place)), default=0)
    end = SENTENCE.search(text, place)
    return text[start : end.start() if end else len(text)]


def sections(text: str, above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Split Markdown at its headings; give each part with the headings above it."""
    plain = FENCE.sub(blank, text)
    starts = [match.start() for match in re.finditer(r"^#{1,4} ", plain, re.MULTILINE)]
    for start, end in zip([0, *starts], [*starts, len(text)], strict=True):
        if heading := re.match(r"(#+) (.*)", plain[start:end]):
            higher = (*above, *[""] * 6)[: len(heading[1]) - 1]
            above = (*higher, heading[2])
        if text[start:end].strip():
            yield text[start:end], above


def text_blocks(text: str, above: tuple[str, ...], cell: int) -> Iterator[Block]:
    """Give a piece of Markdown, and the code that stands in it."""
    yield Block("text", text, above, cell)
    for match in FENCE.finditer(text):
        if not PROSE.match(match["info"]):
            yield Block("code", match["body"], above, cell)


def blocks_of_markdown(content: str) -> Iterator[Block]:
    """Read a page of Markdown piece by piece."""
    for index, (text, headings) in enumerate(sections(content, ())):
        yield from text_blocks(text, headings, index)


def blocks_of_notebook(content: str) -> Iterator[Block]:
    """Read a notebook piece by piece.

    The numbers of an exercise are given, and those that follow are checked by `tests/check`. The
    cell that installs the package holds none of the book's.
    """
    headings: tuple[str, ...] = ()
    for index, cell in enumerate(json.loads(content)["cells"]):
        source = "".join(cell["source"])
        if cell.get("id", "").startswith(("exercise-", "answer-", "setup")):
            continue
        if cell["cell_type"] == "markdown":
            for text, above in sections(source, headings):
                headings = above
                yield from text_blocks(text, headings, index)
            continue
        outputs = (o.get("text", o.get("data", {}).get("text/plain", "")) for o in cell["outputs"])
        shown = "\n".join(map("".join, outputs))
        yield Block("code", source + "\n" + DRAWN.sub("", shown), headings, index)
        described = cell["metadata"].get("mystnb", {})
        if "image" in described:
            yield Block("drawing", "\n".join(DRAWN.findall(shown)), headings, index)
            yield Block("caption", described["figure"]["caption"], headings, index)
            yield Block("alt", described["image"]["alt"], headings, index)


class Scope:
    """A piece of text, and the code that may hold its numbers.

    `section` is the code from the heading above to the next of the same or a higher level,
    `beside` that of the two cells before and after; of a caption, the cell that draws the figure.
    What a figure shows holds numbers of captions and alternative texts, not of other text. The
    section "Remember" sums up the chapter: all code of the page holds its numbers.
    """

    def __init__(self, block: Block, blocks: Iterable[Block]) -> None:
        self.block, depth = block, len(block.section)
        kinds = ("code",) if block.kind == "text" else SOURCES
        sums_up = block.section[-1:] == ("Remember",)
        self.section = [
            b for b in blocks if b.kind in kinds and (sums_up or b.section[:depth] == block.section)
        ]
        cells = {source.cell for source in self.section}
        self.cells = {block.cell} & cells or {
            max((cell for cell in cells if cell < block.cell), default=-1),
            min((cell for cell in cells if cell > block.cell), default=-1),
        }
        self.beside = [b for b in self.section if sums_up or b.cell in self.cells]

    @cached_property
    def section_values(self) -> list[float]:
        """The numbers of the section's code, sorted."""
        return sorted({value for b in (*self.section, self.block) for value in b.values})

    @cached_property
    def values_beside(self) -> list[float]:
        """The numbers of the code beside the text, sorted."""
        return sorted({value for b in (*self.beside, self.block) for value in b.values})

    def holds(self, number: Number) -> bool:
        """Tell whether the code beside a small number has it, or the section another one."""
        return number.is_among(self.values_beside if number.small else self.section_values)

    def holds_in_order(self, numbers: list[Number]) -> bool:
        """Tell whether one piece of code of the section has the numbers, one after the other."""
        for values in (block.values for block in (*self.section, self.block)):
            for start in range(len(values) - len(numbers) + 1):
                if all(n.is_among([v]) for n, v in zip(numbers, values[start:], strict=False)):
                    return True
        return False

    def holds_size(self, numbers: list[Number]) -> bool:
        """Tell whether the code of the section has a square of this size, or such a shape."""
        if len(numbers) > 2:
            return self.holds_in_order(numbers)
        if numbers[0] == numbers[1]:
            return numbers[0].is_among(self.section_values)
        pair = r"\s?[,x×]\s?".join(f"{number.value:.0f}" for number in numbers)
        shape = re.compile(rf"(?:[(×x]|Size\(\[)(?:[\d ]+,)*\s?{pair}[^\d.]|\b{pair}\b(?<=[x×]..)")
        return any(shape.search(block.computing) for block in (*self.section, self.block))

    def settings(self, word: str) -> set[float]:
        """Collect the values that the code of the section gives to an argument such as stride."""
        matches = (m for block in self.section for m in SETTING.finditer(block.text))
        found = ((m[1] or m[5], (m[2], m[3], m[4])) for m in matches)
        return {float(value) for name, values in found if name == word for value in values if value}

    def evidence(self, text: str, match: re.Match[str]) -> str:
        """Say what holds a number of the text: an empty string if nothing does.

        What belongs together is looked for together, so that a wrong number among right ones
        does not pass because some other line has it.
        """
        place, number, found = match.start(), Number.of(match), False
        if equation := covering(EQUATION, text, place):
            kind, found = "equation", is_true(equation)
        elif size := covering(SIZE, text, place):
            kind, found = "size", self.holds_size(numbers_in(size[0]))
        elif several := covering(LIST, text, place):
            numbers = numbers_in(several[0])
            regular = is_progression([n.value for n in numbers]) and self.holds(numbers[-1])
            kind, found = "list of numbers", regular or self.holds_in_order(numbers)
        elif (pair := covering(PAIR, text, place)) and all(n.small for n in numbers_in(pair[0])):
            first, last = numbers = numbers_in(pair[0])
            counted = last.value - 1 == first.value or (pair[1] == "to" and first.value in (0, 1))
            kind = "pair"
            found = (counted and self.holds(last)) or self.holds_in_order(numbers)
        elif fraction := covering(FRACTION, text, place):
            above, below = numbers = numbers_in(fraction[0])
            quotient = Number(above.value / max(below.value, 1.0), 0.005, 2, 1.0)
            kind = "fraction"
            found = self.holds_in_order(numbers) or quotient.is_among(self.section_values)
        elif (setting := covering(SETTING, text, place)) and (
            known := self.settings(word := setting[1] or setting[5])
        ):
            kind, found = "setting", number.value in known | {float(word != "padding")}
        else:
            kind, found = "cell beside" if number.small else "section", self.holds(number)
        if not found:
            kind, found = "citation", CITED.search(sentence_at(self.block.text, place)) is not None
        return kind if found else ""


class Page:
    """A page, with the reasons of `numbers.yml` for its numbers, and the names that have digits."""

    def __init__(
        self, blocks: Iterable[Block], reasons: dict[str, list[str]], names: Iterable[str]
    ) -> None:
        blocks = list(blocks)
        self.scopes = [Scope(block, blocks) for block in blocks if block.kind not in SOURCES]
        self.values = sorted({v for block in blocks if block.kind in SOURCES for v in block.values})
        self.names = set(names)
        self.reasons = {
            re.compile(r"\s+".join(map(re.escape, words.split()))): reason
            for reason, pieces in reasons.items()
            for words in pieces
        }

    def confirms(self, reason: str, number: Number) -> bool:
        """Tell whether a reason is a matter of judgement, or true of the number."""
        if reason == "printed in another section":
            return number.is_among(self.values)
        if reason.startswith("stands in "):
            return number.is_among(values_of_file(ROOT / reason.removeprefix("stands in ")))
        return True

    def check(self, scope: Scope, text: str = "") -> Iterator[tuple[re.Match[str], str]]:
        """Yield each number of a text, or of a changed one, with what holds it."""
        block = replace(scope.block, text=text) if text else scope.block
        text = ADDRESS.sub(blank, DOCUMENT.sub(blank, block.prose))
        listed = [(m, why) for words, why in self.reasons.items() for m in words.finditer(text)]
        for match in NAME.finditer(text):
            yield match, "name" if match[0] in self.names else ""
        text = NAME.sub(blank, text)
        for match in NUMBER.finditer(text):
            reason = next((w for m, w in listed if m.start() <= match.start() < m.end()), "")
            if reason:
                yield match, "reason" if self.confirms(reason, Number.of(match)) else ""
            else:
                yield match, scope.evidence(text, match)


def is_true(equation: re.Match[str]) -> bool:
    """Compute the left side of a match of EQUATION, which has digits and signs only."""
    left = equation[1].translate(str.maketrans({"·": "*", "×": "*", "−": "-", ",": ""}))
    try:
        value = eval(left, {"__builtins__": {}})
    except (SyntaxError, ZeroDivisionError, TypeError):
        return False
    return abs(value - float(equation[2].replace("−", "-").replace(",", ""))) < 1e-9


def is_progression(values: list[float]) -> bool:
    """Tell whether neighbours differ by the same amount, or by the same factor."""
    pairs = list(pairwise(values))
    steps = {b - a for a, b in pairs}
    return len(steps) == 1 or (0 not in values and len({b / a for a, b in pairs}) == 1)


def load(rules: Path = RULES) -> dict[str, Page]:
    """Read all pages and the list of reasons."""
    listed = yaml.safe_load(rules.read_text(encoding="utf-8"))
    contents = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
    return {
        name: Page(
            blocks_of_notebook(text) if name.endswith(".ipynb") else blocks_of_markdown(text),
            listed["pages"].get(name, {}),
            listed["names"],
        )
        for name, text in contents.items()
    }


def unsupported(page: Page) -> Iterator[str]:
    """Describe each number that nothing holds: its place, and where it was looked for."""
    for scope in page.scopes:
        for match, held in page.check(scope):
            if not held:
                block, small = scope.block, match.re is NUMBER and Number.of(match).small
                cells = ", ".join(map(str, sorted(scope.cells - {-1}))) or "none"
                where = f"cells beside it ({cells})" if small else f"section {block.section[-1:]}"
                sentence = " ".join(sentence_at(block.text, match.start()).split())
                yield (
                    f"{match[0]!r} in the {block.kind} of cell {block.cell}, {sentence!r}: not "
                    f"in the {where} nor, with a reason, in numbers.yml"
                )


def unused_reasons(page: Page) -> list[str]:
    """List the pieces of `numbers.yml` that the page does not have."""
    texts = [scope.block.prose for scope in page.scopes]
    return [words.pattern for words in page.reasons if not any(map(words.search, texts))]


def change(written: str, chance: random.Random) -> str:
    """Replace a digit of a number by another one, or exchange two neighbours."""
    places = [place for place, letter in enumerate(written) if letter in "0123456789"]
    while True:
        letters, place = list(written), chance.choice(places)
        if place + 1 in places and chance.random() < 0.3:
            letters[place : place + 2] = letters[place + 1], letters[place]
        else:
            letters[place] = chance.choice("0123456789")
        changed = "".join(letters)
        if changed != written and not re.match(r"0\d", changed):
            return changed


@dataclass(frozen=True)
class Change:
    """A number that was changed, and whether the checker noticed."""

    page: str
    block: Block
    held_by: str
    digits: int  # significant ones; 0 in a name
    old: str
    new: str
    noticed: bool


def changes(pages: dict[str, Page], count: int, seed: int) -> Iterator[Change]:
    """Change numbers at random places, one at a time."""
    chance = random.Random(seed)
    places = [
        (name, scope, match, held)
        for name, page in pages.items()
        for scope in page.scopes
        for match, held in page.check(scope)
    ]
    for name, scope, match, held in chance.choices(places, k=count):
        old, digits = match[0], 0
        if match.re is NUMBER:
            old, digits = match["digits"], Number.of(match).digits
        new, text, place = change(old, chance), scope.block.text, match.start()
        text = text[:place] + new + text[place + len(old) :]
        noticed = any(not held for _, held in pages[name].check(scope, text))
        yield Change(name, scope.block, held, digits, old, new, noticed)


def main() -> None:
    """Report the numbers without evidence, or how many changes are noticed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutate", type=int, metavar="N", help="change N numbers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--missed", action="store_true", help="print the changes not noticed")
    arguments = parser.parse_args()
    pages = load()
    if not arguments.mutate:
        for name, page in pages.items():
            for fault in (*unsupported(page), *unused_reasons(page)):
                print(f"{name}: {fault}")
        return
    counts: dict[str, Counter[bool]] = {}
    for one in changes(pages, arguments.mutate, arguments.seed):
        size = {0: "in a name", 1: "one digit", 2: "two digits"}.get(one.digits, "more digits")
        for group in ("all", size, f"in {one.block.kind}", f"held by: {one.held_by}", one.page):
            counts.setdefault(group, Counter())[one.noticed] += 1
        if arguments.missed and not one.noticed:
            where = f"{one.page}, {one.block.kind} of cell {one.block.cell}"
            print(f"{where}, held by {one.held_by}: {one.old} -> {one.new}")
    for group, count in sorted(counts.items()):
        print(f"{group:30} {count.total():5} changes, {count[True] / count.total():4.0%} noticed")


if __name__ == "__main__":
    main()
