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
from dataclasses import dataclass
from functools import cache, cached_property
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
    r"\]\([^)\s]*\)|<https?:[^>]*>|^\([\w-]+\)=$|^:::.*$|^:[\w-]+:.*$|<!--.*?-->"
    r"|^\s*\d+\. |^\*\*\d+\. |^#+ (?:Rung )?\d+[.:]",
    re.MULTILINE,
)
CITED = re.compile(r"\{cite(?::\w)?\}`|\]\(https?:|<https?:")
SENTENCE = re.compile(r"(?<=[.!?:;])[)*\"”]*\s+(?=\S)|\n\s*\n|\n(?=\s*[-|\d])|\|")

# Numbers that are checked together: sizes, lists, fractions, ranges, true equations, settings.
SIZE = re.compile(r"(?<![\w.,])\d+(?:(?:\s?[×x]\s?| by )\d+(?!\w))+")
LIST = re.compile(rf"(?<![\w.,/]){DIGITS}(?:(?:, and |, | and | / | )−?{DIGITS}(?![\w%/])){{2,}}")
FRACTION = re.compile(r"(?<![\w.,/])(\d+)/(\d+)(?![\w.,/]*\d)")
RANGE = re.compile(r"(?<![\w.,])(0) to (\d+)(?![\w.,%]*\d)")
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
        if self.kind != "text":
            return self.text
        text = FENCE.sub(
            lambda m: (FENCE_LINE.sub(blank, m[0]) if PROSE.match(m["info"]) else blank(m)),
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
        for scale in {self.scale, 1.0 if self.scale < 1 or self.unit < 1 else self.scale}:
            value = self.value * scale
            slack = (self.unit * scale / 2 if self.digits > 1 or self.unit < 1 else 0.0) + 1e-9 * value
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
            above = (*above[: len(heading[1]) - 1], heading[2])
        if text[start:end].strip():
            yield text[start:end], above


def text_blocks(text: str, above: tuple[str, ...], cell: int) -> Iterator[Block]:
    """Give a piece of Markdown, and the code that stands in it."""
    yield Block("text", text, above, cell)
    for match in FENCE.finditer(text):
        code = match["body"]
        if included := re.match(r"\{literalinclude\} \.\./(\S+)", match["info"]):
            code = (ROOT / included[1]).read_text(encoding="utf-8")
        if not PROSE.match(match["info"]):
            yield Block("code", code, above, cell)


def blocks_of(content: str, notebook: bool) -> Iterator[Block]:
    """Read a page piece by piece."""
    above: tuple[str, ...] = ()
    if not notebook:
        for index, (text, headings) in enumerate(sections(content, above)):
            yield from text_blocks(text, headings, index)
        return
    for index, cell in enumerate(json.loads(content)["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for text, above in sections(source, above):  # noqa: B007
                yield from text_blocks(text, above, index)
            continue
        outputs = (o.get("text", o.get("data", {}).get("text/plain", "")) for o in cell["outputs"])
        shown = "\n".join(map("".join, outputs))
        yield Block("code", source + "\n" + DRAWN.sub("", shown), above, index)
        if figure := cell["metadata"].get("mystnb"):
            yield Block("drawing", "\n".join(DRAWN.findall(shown)), above, index)
            yield Block("caption", figure["figure"]["caption"], above, index)
            yield Block("alt", figure["image"]["alt"], above, index)


class Page:
    """A page, with the reasons of `numbers.yml` for its numbers, and the names that have digits."""

    def __init__(
        self, blocks: Iterable[Block], reasons: dict[str, list[str]], names: Iterable[str]
    ) -> None:
        self.blocks, self.names = list(blocks), set(names)
        self.reasons = {
            re.compile(r"\s+".join(map(re.escape, words.split()))): reason
            for reason, sentences in reasons.items()
            for words in sentences
        }

    @cache  # noqa: B019
    def code(self, index: int, near: bool = False) -> list[Block]:
        """List the code of the section of a block, or the cells beside it.

        The nearest of a caption is the cell that draws the figure, where the drawing counts too.
        """
        asking = self.blocks[index]
        kinds = ("code",) if asking.kind == "text" else SOURCES
        depth = len(asking.section)
        found = [
            block
            for block in self.blocks
            if block.kind in kinds and block.section[:depth] == asking.section
        ]
        if not near:
            return found
        cells = {block.cell for block in found}
        if asking.cell not in cells:
            before = max((cell for cell in cells if cell < asking.cell), default=asking.cell)
            after = min((cell for cell in cells if cell > asking.cell), default=asking.cell)
        else:
            before = after = asking.cell
        return [block for block in found if block.cell in (before, after)]

    @cache  # noqa: B019
    def values(self, index: int, near: bool) -> list[float]:
        """Sort the numbers that may hold one of a block."""
        sources = (*self.code(index, near), self.blocks[index])
        return sorted({value for source in sources for value in source.values})

    def holds(self, index: int, number: Number) -> bool:
        """Tell whether the code beside a small number, or of its section, has it."""
        return number.is_among(self.values(index, number.small))

    @cache  # noqa: B019
    def settings(self, index: int, word: str) -> set[float]:
        """Collect the values that the code of a section gives to an argument such as stride."""
        matches = (m for block in self.code(index) for m in SETTING.finditer(block.text))
        pairs = ((m[1] or m[5], (m[2], m[3], m[4])) for m in matches)
        return {float(v) for name, values in pairs if name == word for v in values if v}

    def has_in_order(self, index: int, numbers: list[Number]) -> bool:
        """Tell whether one piece of code of the section has the numbers, one after the other."""
        count = len(numbers)
        for source in (*self.code(index), self.blocks[index]):
            values = source.values
            for start in range(len(values) - count + 1):
                found = zip(numbers, values[start : start + count], strict=True)
                if all(number.is_among([value]) for number, value in found):
                    return True
        return False

    @cache  # noqa: B019
    def confirming(self, reason: str) -> list[float] | None:
        """Sort the numbers that a reason of `numbers.yml` refers to, if it can be checked."""
        if reason == "printed in another section":
            return sorted(value for block in self.blocks if block.kind in SOURCES for value in block.values)
        if reason.startswith("stands in "):
            path = ROOT / reason.removeprefix("stands in ")
            return sorted(computed(path.read_text(encoding="utf-8")))
        return None

    def is_confirmed(self, reason: str, number: Number) -> bool:
        """Tell whether a reason is a matter of judgement, or true of the number."""
        values = self.confirming(reason)
        return values is None or number.is_among(values)

    def has_size(self, index: int, numbers: list[Number]) -> bool:
        """Tell whether the code of the section has a shape such as (64, 56, 56) or 3x3."""
        if len(numbers) > 2 and self.has_in_order(index, numbers):
            return True
        if len(numbers) == 2 and numbers[0] == numbers[1]:
            return numbers[0].is_among(self.values(index, False))
        last = r"\s?[,x×]\s?".join(f"{number.value:.0f}" for number in numbers)
        shape = re.compile(rf"[(×x](?:[\d ]+,)*\s?{last}[^\d.]|Size\(\[.*\b{last}\b|\b{last}\b(?<=[x×]..)")
        sources = (*self.code(index), self.blocks[index])
        return any(shape.search(source.computing) for source in sources)

    def verdict(self, index: int, text: str, match: re.Match[str]) -> str:
        """Say what holds a number of a block's prose: an empty string if nothing does."""
        if held := self.evidence(index, text, match):
            return held
        sentence = sentence_at(self.blocks[index].text, match.start())
        return "cited" if CITED.search(sentence) else ""

    def evidence(self, index: int, text: str, match: re.Match[str]) -> str:  # noqa: PLR0911
        """Say which evidence the page has for a number: an empty string if there is none.

        What belongs together is looked for together, so that a wrong number among right ones
        does not pass because some other line has it.
        """
        place, number = match.start(), Number.of(match)
        if equation := covering(EQUATION, text, place):
            return "equation" if is_true(equation) else ""
        if size := covering(SIZE, text, place):
            return "size" if self.has_size(index, numbers_in(size[0])) else ""
        if several := covering(LIST, text, place):
            numbers = numbers_in(several[0])
            regular = is_progression([n.value for n in numbers]) and self.holds(index, numbers[-1])
            return "list of numbers" if regular or self.has_in_order(index, numbers) else ""
        if fraction := covering(FRACTION, text, place):
            quotient = Number(int(fraction[1]) / max(int(fraction[2]), 1), 0.005, 2, 1.0)
            in_order = self.has_in_order(index, numbers_in(fraction[0]))
            return "fraction" if in_order or quotient.is_among(self.values(index, False)) else ""
        if counted := covering(RANGE, text, place):
            if self.holds(index, Number(int(counted[2]) + 1, 1, 2, 1)):
                return "range"
        if setting := covering(SETTING, text, place):
            word = setting[1] or setting[5]
            if known := self.settings(index, word):
                return "setting" if number.value in known | {float(word != "padding")} else ""
        if self.holds(index, number):
            return "near" if number.small else "section"
        return ""

    def check(self, index: int, changed: str = "") -> Iterator[tuple[re.Match[str], str]]:
        """Yield each number of a block, or of a changed text of it, with what holds it."""
        block = self.blocks[index]
        text = Block(block.kind, changed or block.text, (), 0).prose
        for match in NAME.finditer(text):
            yield match, "name" if match[0] in self.names else ""
        listed = [(m, why) for words, why in self.reasons.items() for m in words.finditer(text)]
        text = NAME.sub(blank, text)
        for match in NUMBER.finditer(text):
            for words, reason in listed:
                if words.start() <= match.start() < words.end():
                    yield match, "list" if self.is_confirmed(reason, Number.of(match)) else ""
                    break
            else:
                yield match, self.verdict(index, text, match)


def is_true(equation: re.Match[str]) -> bool:
    """Compute the left side of a match of EQUATION, which has digits and signs only."""
    left = equation[1].translate(str.maketrans({"·": "*", "×": "*", "−": "-", ",": ""}))
    try:
        value = eval(left, {"__builtins__": {}})  # noqa: S307
    except (SyntaxError, ZeroDivisionError, TypeError):
        return False
    return abs(value - float(equation[2].replace("−", "-").replace(",", ""))) < 1e-9


def is_progression(values: list[float]) -> bool:
    """Tell whether neighbours differ by the same amount, or by the same factor."""
    pairs = list(zip(values, values[1:], strict=False))
    steps = {b - a for a, b in pairs}
    return len(steps) == 1 or (0 not in values and len({b / a for a, b in pairs}) == 1)


def load() -> dict[str, Page]:
    """Read all pages and the list of reasons."""
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return {
        name: Page(
            blocks_of((ROOT / name).read_text(encoding="utf-8"), name.endswith(".ipynb")),
            rules["pages"].get(name, {}),
            rules["names"],
        )
        for name in PAGES
    }


def unsupported(pages: dict[str, Page]) -> list[str]:
    """List the numbers that nothing holds: page, cell, sentence, number."""
    found = []
    for name, page in pages.items():
        for index, block in enumerate(page.blocks):
            if block.kind in SOURCES:
                continue
            for match, verdict in page.check(index):
                if not verdict:
                    sentence = " ".join(sentence_at(block.text, match.start()).split())
                    found.append(f"{name} [{block.cell}] {block.kind}: {match[0]!r} in {sentence!r}")
    return found


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


def mutate(
    pages: dict[str, Page], count: int, seed: int
) -> Iterator[tuple[str, Block, str, int, str, str, bool]]:
    """Change numbers; yield page, block, what held it, digits, old, new, and whether noticed."""
    chance = random.Random(seed)
    places = [
        (name, page, index, match, verdict)
        for name, page in pages.items()
        for index, block in enumerate(page.blocks)
        if block.kind not in SOURCES
        for match, verdict in page.check(index)
    ]
    for name, page, index, match, verdict in chance.choices(places, k=count):
        old, digits = match[0], 0
        if match.re is NUMBER:
            old, digits = match["digits"], Number.of(match).digits
        new, block = change(old, chance), page.blocks[index]
        text = block.text[: match.start()] + new + block.text[match.start() + len(old) :]
        noticed = any(not held for _, held in page.check(index, text))
        yield name, block, verdict, digits, old, new, noticed


def main() -> None:
    """Report the numbers without evidence, or how many changes are noticed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutate", type=int, metavar="N", help="change N numbers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--missed", action="store_true", help="print the changes not noticed")
    arguments = parser.parse_args()
    pages = load()
    if not arguments.mutate:
        print("\n".join(unsupported(pages)) or "Every number has its evidence.")
        return
    counts: dict[str, Counter[bool]] = {}
    for name, block, verdict, digits, old, new, noticed in mutate(
        pages, arguments.mutate, arguments.seed
    ):
        size = {0: "in a name", 1: "one digit", 2: "two digits"}.get(digits, "more digits")
        for group in ("all", size, f"in {block.kind}", f"held by: {verdict}", name):
            counts.setdefault(group, Counter())[noticed] += 1
        if arguments.missed and not noticed:
            print(f"{name} [{block.cell}] {block.kind}, held by {verdict}: {old} -> {new}")
    for group, count in sorted(counts.items()):
        print(f"{group:30} {count.total():5} changes, {count[True] / count.total():4.0%} noticed")


if __name__ == "__main__":
    main()
