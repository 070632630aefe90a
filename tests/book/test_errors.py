"""Check the catalogue of errors: its messages, the table of them, its cures, its links."""

import ast
import json
import re
import runpy
from collections import Counter
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote

import pytest
import torch
from bs4 import BeautifulSoup
from torch import nn

from convlab.explain import CAUSES, explain
from convlab.results import FILES
from tests.book.book_files import ROOT

BOOK = ROOT / "book"
CELLS = json.loads((BOOK / "errors.ipynb").read_text(encoding="utf-8"))["cells"]
STORED = json.loads((FILES / "messages" / "torch-2.4.json").read_text(encoding="utf-8"))
OLD = STORED["messages"]
TOOL = runpy.run_path(str(ROOT / "tools" / "old_messages.py"))


class Entry(NamedTuple):
    """A cell that fails, what it prints, and the text from its anchor to the next."""

    source: str
    today: str
    old: str | None
    note: str
    text: str


def text_of(cell):
    return "".join(cell["source"])


def read_entries():
    """Map the name of each mistake to its entry."""
    prose = "\n\n".join(text_of(cell) for cell in CELLS if cell["cell_type"] == "markdown")
    parts = re.split(r"^\((error-[\w-]+)\)=$|^## ", prose, flags=re.MULTILINE)
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    entries = {}
    for cell in CELLS:
        names = re.findall(r'^with caught\("([\w-]+)"\)', text_of(cell), re.MULTILINE)
        for name in names:
            printed = "".join("".join(output["text"]) for output in cell["outputs"])
            shown, _, note = printed.partition("\nconvlab: ")
            today, _, old = shown.partition("\nIn torch 2.4: ")
            entries[name] = Entry(
                text_of(cell), today.rstrip("\n"), old.rstrip("\n") or None, note,
                texts.get(f"error-{name}", ""),
            )  # fmt: skip
    return entries


ENTRIES = read_entries()
PROSE = "\n\n".join(text_of(cell) for cell in CELLS if cell["cell_type"] == "markdown")


def test_each_mistake_and_each_cause_has_an_anchor():
    counts = Counter(re.findall(r"^\((error-[\w-]+|silent-[\w-]+)\)=$", PROSE, re.MULTILINE))
    assert set(counts.values()) == {1}
    assert {f"error-{name}" for name in ENTRIES} <= set(counts)
    assert {f"error-{cause.replace('_', '-')}" for cause in CAUSES} <= set(counts)
    calls = [len(re.findall(r"^with caught\(", text_of(c), re.MULTILINE)) for c in CELLS]
    assert sum(calls) == len(ENTRIES)
    assert max(calls) == 1


def test_every_cause_has_an_entry():
    found = {match[1] for e in ENTRIES.values() if (match := re.match(r"\[(\w+)\]", e.note))}
    assert found <= set(CAUSES)
    missing = set(CAUSES) - found
    assert missing <= {"device_mismatch"}  # takes two devices
    assert "`device_mismatch`" in ENTRIES["device"].text


def test_every_entry_has_a_cure():
    """Several cells under one heading may share it."""
    sections = re.split(r"^\((?:error|silent)-[\w-]+\)=\n### ", PROSE, flags=re.MULTILINE)[1:]
    assert [
        section for section in sections if not re.search(r"^\*\*Cure:\*\* ", section, re.M)
    ] == []


@pytest.mark.parametrize("name", ENTRIES)
def test_the_page_shows_what_torch_2_4_said_where_it_was_another_message(name):
    entry = ENTRIES[name]
    expected = None if OLD[name] == entry.today else OLD[name] or "no error"
    assert entry.old == (expected and expected.rstrip("\n"))


def test_the_stored_messages_are_those_of_torch_2_4():
    assert STORED["torch"].startswith("2.4.")
    assert set(OLD) == set(ENTRIES), "run tools/old_messages.py"


@pytest.mark.filterwarnings("ignore")
def test_the_tool_stores_what_the_cells_print():
    """Here it runs under the installed PyTorch."""
    found = TOOL["messages"](BOOK / "errors.ipynb")
    assert {name: text.rstrip("\n") for name, text in found.items()} == {
        name: entry.today for name, entry in ENTRIES.items()
    }


ROW = re.compile(r"^\| `(?P<begin>[^|]*)` \| (?P<links>.*) \|$", re.MULTILINE)
ROWS = [(row["begin"], re.findall(r"\]\(#([\w-]+)\)", row["links"])) for row in ROW.finditer(PROSE)]


def begins(text, begin):
    """Tell whether a message begins so; ``…`` stands for anything."""
    parts = [re.escape(part.strip()) for part in begin.split("…")]
    return re.match(".*?".join(parts), text, re.DOTALL) is not None


def messages_of(name):
    """List the messages of today and of torch 2.4, without the names of their classes."""
    return [text.partition(": ")[2] for text in (ENTRIES[name].today, OLD[name]) if text]


def test_every_message_is_in_the_table():
    missing = [
        (name, message)
        for name in ENTRIES
        for message in messages_of(name)
        if not any(begins(message, begin) and f"error-{name}" in links for begin, links in ROWS)
    ]
    assert missing == []


@pytest.mark.parametrize(("begin", "links"), ROWS, ids=[begin for begin, _ in ROWS])
def test_a_row_of_the_table_leads_to_messages_that_begin_so(begin, links):
    assert links
    for link in links:
        if not link.startswith("error-"):
            assert any(begin in printed for printed in outputs_below(link)), link
        else:
            texts = messages_of(link[6:])
            assert any(begins(text, begin) for text in texts) or is_of_two_devices(begin, link), (
                link
            )


def is_of_two_devices(begin, link):
    """Tell whether a message takes a GPU; a cell looks for its words in PyTorch's library."""
    cell = next(cell for cell in CELLS if "torch_cpu" in text_of(cell))
    lines = "".join(cell["outputs"][0]["text"]).splitlines()
    return link == "error-device" and any(
        line.startswith(begin) or begins(begin, line) for line in lines
    )


def outputs_below(anchor):
    """Yield what the cells of a section of another chapter print."""
    for path in BOOK.glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        below = False
        for cell in cells:
            if cell["cell_type"] == "markdown":
                found = re.findall(r"^\((wrong-[\w-]+)\)=$", text_of(cell), re.MULTILINE)
                below = found[-1] == anchor if found else below
            elif below:
                yield "".join("".join(output.get("text", "")) for output in cell["outputs"])


class Expression(nn.Module):
    """A module that computes an expression of its inputs, which are called `names`."""

    def __init__(self, text, names, others):
        super().__init__()
        self.compute = lambda *inputs: eval(text, others | dict(zip(names, inputs, strict=True)))

    def forward(self, *inputs):
        return self.compute(*inputs)


def failing_call(name):
    """Return the module and the inputs of the line that fails; None without tensors."""
    source = ENTRIES[name].source
    names = {"caught": lambda _: suppress(Exception)}
    for cell in CELLS:
        if "def text_of(" in text_of(cell):
            exec(text_of(cell), names)
    exec(source, names)
    call = ast.parse(source).body[-1].body[0].value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Call):
        function = eval(ast.unparse(call.func), names)
        if isinstance(function, nn.Module) and not call.keywords:
            inputs = [eval(ast.unparse(argument), names) for argument in call.args]
            return (function, inputs) if all(map(torch.is_tensor, inputs)) else None
    used = dict.fromkeys(node.id for node in ast.walk(call) if isinstance(node, ast.Name))
    tensors = [word for word in used if torch.is_tensor(names.get(word))]
    if not tensors or any(isinstance(names.get(word), nn.Module) for word in used):
        return None
    return Expression(ast.unparse(call), tensors, names), [names[word] for word in tensors]


def test_the_fixes_that_can_be_applied_make_the_mistakes_run():
    tried = Counter()
    for name in ENTRIES:
        model, inputs = failing_call(name) or (None, [])
        for fix in explain(model, *inputs).fixes if model else ():
            if fix.apply:
                new_model, new_inputs = fix.apply(model, inputs)
                with torch.no_grad():
                    new_model(*new_inputs)
                tried[name] += 1
    noted = {name for name, entry in ENTRIES.items() if "\n  fix: " in entry.note}
    assert len(noted & set(tried)) >= 40
    assert tried.total() >= 60


def explorer_links():
    """List (name, fragment) of the links to the explorer, each below its entry."""
    pattern = re.compile(r'<a href="explorer\.html#([^"]*)">Open in the explorer</a>')
    return [
        (name, BeautifulSoup(fragment, "html.parser").get_text())
        for name, entry in ENTRIES.items()
        for fragment in pattern.findall(entry.text)
    ]


LINKS = explorer_links()
KINDS = {
    nn.Conv2d: "conv2d", nn.ConvTranspose2d: "conv_transpose2d", nn.MaxPool2d: "max_pool2d",
    nn.AvgPool2d: "avg_pool2d",
}  # fmt: skip


def test_the_explorer_shows_the_message_of_each_entry_that_links_to_it(new_tab, site):
    assert len(LINKS) == PROSE.count("Open in the explorer") >= 16
    page = new_tab("about:blank").page
    for name, fragment in LINKS:
        page.goto("about:blank")  # or another address of the same page would not load it
        page.goto(f"{(site / 'book' / 'explorer.html').as_uri()}#{fragment}")
        shown = page.locator('[data-explorer="error"]').inner_text()
        assert shown == messages_of(name)[0], unquote(fragment)
