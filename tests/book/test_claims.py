"""Check the claims of the documents: evidence, verdicts, addresses, and their pages."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from bs4 import SoupStrainer

from tests.book import claims
from tests.book.book_files import ROOT, read_page
from tests.book.claims import Outcome
from tests.book.test_chapters import CHAPTERS

from claims import VERDICTS, anchors, read_claims, read_documents  # isort: skip

ROWS = read_claims()
DOCUMENTS = read_documents()
SECTIONS = {one["id"]: one["sections"] for one in DOCUMENTS["documents"]}
# As for the examples of properties: a sample in every run, all with `make test FULL=1`.
MUTATED = {"few": 8, "sample": 40, "full": len(ROWS)}[os.environ.get("CONVLAB_EXAMPLES", "sample")]


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Run all evidence, and mutate a sample of it, in a process without threads."""
    path = tmp_path_factory.mktemp("claims") / "checked.json"
    command = [sys.executable, "-m", "tests.book.claims", "--json", str(path)]
    command += ["--mutate", "--sample", str(MUTATED)]
    subprocess.run(command, cwd=ROOT, check=False, capture_output=True)
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_evidence_agrees_with_the_verdict(checked, row):
    assert checked[row.id]["faults"] == [], f"{row.id}: {row.says}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_no_other_verdict_passes(checked, row):
    outcome = Outcome(**checked[row.id]["outcome"])
    turns = {"true", "false"} if row.verdict == "not checkable" else {"true", "false", "misleading"}
    if row.verdict in ("incomplete", "outdated"):  # the test cannot tell these from their like
        turns -= {"misleading"} if row.verdict == "incomplete" else {"false"}
    for verdict in turns - {row.verdict}:
        assert claims.problems(replace(row, verdict=verdict), outcome), verdict


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ("holds = 1 == 1", "does not depend"),
        ("import torch\nx = torch.ones(2)\nholds = True", "does not depend"),
        ("import torch\nx = torch.ones(2)\nholds = x.shape == x.shape", "no change"),
        ("import torch\nx = torch.ones(2)\nb = 3\nholds = b == 3 and x is not None", "no change"),
        ("import torch\nx = torch.ones(2)\nholds = len(x) == 2 or True", "no change"),
    ],
)
def test_evidence_that_cannot_fail_is_found(evidence, reason):
    row = replace(ROWS[0], verdict="true", evidence=evidence, prints="", turn=())
    if reason == "no change":
        assert not claims.turned(row)
    else:
        assert reason in claims.proves_nothing(evidence)


def test_evidence_that_can_fail_is_turned():
    evidence = "import torch\nfrom torch import nn\nx = torch.zeros(1, 2, 5, 5)\n"
    evidence += "holds = nn.Conv2d(2, 3, 3)(x).shape == (1, 3, 3, 3)"
    row = replace(ROWS[0], verdict="true", evidence=evidence, prints="", turn=())
    assert claims.turned(row)
    assert claims.turned(replace(row, turn=("Conv2d(2, 3, 3)", "Conv2d(2, 3, 5)")))
    assert not claims.turned(replace(row, turn=("(2, 3, 3)", "(2, 3, 3, bias=False)")))
    assert not claims.turned(replace(row, turn=("holds = nn", "holds = not nn")))


def test_a_row_that_raises_or_prints_something_else_is_named():
    row = replace(ROWS[0], verdict="true", evidence="import torch\nholds = torch.ones(1) == 1")
    outcome = next(iter(claims.outcomes(["raise ValueError('so')"])))
    assert "ValueError: so" in claims.problems(row, outcome)[0]
    outcome = next(iter(claims.outcomes(["print(1)\nholds = True"])))
    assert outcome == Outcome("1", True, None)
    assert "and not" in claims.problems(replace(row, prints="2"), outcome)[-1]
    assert "not one of" in claims.problems(replace(row, verdict="right"), outcome)[0]


def test_evidence_that_takes_too_long_or_ends_its_process_is_reported():
    codes = ["import time\ntime.sleep(60)", "import os\nos._exit(0)", "print(2)"]
    late, ended, printed = claims.outcomes(codes, seconds=3)
    assert "too long" in late.error
    assert "without an answer" in ended.error
    assert printed.prints == "2"


def test_every_id_occurs_once_and_in_its_document():
    names = [name for row in ROWS for name in row.places]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"D[0-4]-\d\d", name)] == []
    for row in ROWS:
        for name, section in row.places.items():
            assert section in SECTIONS[name[:2]], name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_is_whole(row):
    assert row.says.strip()
    assert row.correction.strip() or row.verdict == "true"
    assert row.evidence.strip() or row.verdict == "not checkable"
    page, _, anchor = row.taught_in.partition("#")
    assert anchor in anchors(page)


def test_contradictions_name_claims_of_two_documents():
    names = {name for row in ROWS for name in row.places}
    assert len(DOCUMENTS["contradictions"]) > 5
    for row in DOCUMENTS["contradictions"]:
        assert set(row["claims"]) <= names
        assert len({name[:2] for name in row["claims"]}) > 1, row


# What the text calls a source without naming it.
ANONYMOUS = re.compile(
    r"\b(?:some|many|most|other|several|two|both) "
    r"(?:courses|tutorials|texts|posts|articles|documents|textbooks)\b",
    re.IGNORECASE,
)


def test_what_is_said_of_a_document_links_its_row():
    bare = []
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for paragraph in "".join(cell["source"]).split("\n\n"):
                if ANONYMOUS.search(paragraph) and not re.search(r"\]\(#d\d-\d\d\)", paragraph):
                    bare.append(f"{path.name}: {paragraph[:100]}")
    assert bare == []


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.verdict in ("false", "misleading", "outdated")],
    ids=lambda row: row.id,
)
def test_the_chapter_that_refutes_a_claim_links_its_row(row):
    page = row.taught_in.partition("#")[0]
    text = (ROOT / "book" / f"{page}.ipynb").read_text(encoding="utf-8")
    assert any(f"](#{name.lower()})" in text for name in row.places)


def parsed(site, name, only=None):
    """Parse a page of the built site, or some elements of it."""
    return read_page(site / "book" / f"{name}.html", only)


CLAIMS = SoupStrainer(class_=re.compile("claim"))


def test_every_chapter_ends_with_its_claims(site):
    for name in CHAPTERS:
        shown = [box["id"] for box in parsed(site, name, CLAIMS).select(".claim")]
        here = [row.id.lower() for row in ROWS if row.taught_in.startswith(f"{name}#")]
        assert sorted(shown) == sorted(here), name


def test_every_claim_is_two_clicks_from_the_first_page(site):
    links = {link["href"] for link in parsed(site, "index").select("article a")}
    for document in DOCUMENTS["documents"]:
        assert f"{document['page']}.html" in links
        page = parsed(site, document["page"])
        for row in ROWS:
            for name in row.places:
                if name.startswith(document["id"]):
                    box = page.find(id=name.lower()).find_parent(class_="claim") or page.find(
                        id=name.lower()
                    )
                    assert box.select_one(".claim-verdict").get_text() == row.verdict
                    assert bool(box.select_one(".claim-correction")) is bool(row.correction)


def test_the_page_of_all_claims_counts_them(site):
    page = parsed(site, "claims")
    assert len(page.select(".claims-all > .claim")) == len(ROWS)
    counts = {
        line[0]: [int(cell) for cell in line[1:]]
        for line in (
            [cell.get_text(strip=True) for cell in row.find_all("td")]
            for row in page.select(".claims-counts tbody tr")
        )
    }
    for verdict in VERDICTS:
        assert counts[verdict][-1] == sum(row.verdict == verdict for row in ROWS)
    assert counts["all"][-1] == len(ROWS)


def test_the_filter_works_from_a_file(new_tab, site):
    page = new_tab((site / "book" / "claims.html").as_uri()).page
    form = page.locator(".claims-filter form")
    shown = page.locator(".claims-all > .claim:visible")
    assert shown.count() == len(ROWS)
    form.locator("[name=verdict]").select_option("false")
    form.locator("[name=document]").select_option("d1")
    expected = {
        row.id.lower()
        for row in ROWS
        if row.verdict == "false" and any(name.startswith("D1") for name in row.places)
    }
    assert {box.get_attribute("id") for box in shown.all()} == expected
    assert f"{len(expected)} of {len(ROWS)}" in form.locator("output").inner_text()
    form.locator("[name=words]").fill("zyzzyvas")
    assert shown.count() == 0


def test_an_address_shows_its_claim_in_spite_of_a_filter(new_tab, site):
    row = next(row for row in ROWS if row.verdict == "true")
    address = (site / "book" / "claims.html").as_uri()
    page = new_tab(f"{address}?verdict=false#{row.id.lower()}").page
    assert page.locator(f"[id={row.id.lower()}]").is_visible()
    page.goto(f"{address}?verdict=false&document=d0")
    assert page.locator(".claims-all > .claim:visible").count() < len(ROWS)
