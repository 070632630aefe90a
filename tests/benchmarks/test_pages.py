"""Tests of ``python -m benchmarks.pages``: it weighs and measures pages, stores and prints."""

import gzip

import pytest

from benchmarks.pages import RESULTS, files_of, layout_shift, load, main, report, weigh


@pytest.fixture
def small_site(tmp_path):
    """Write a site of one page, one picture, one style of the theme, and one script by address."""
    for name, content in {
        "book/index.html": '<link rel="stylesheet" href="../_static/styles/theme.css?v=1">'
        '<img src="../_images/a%20b.webp"><script>load("../_static/late.js")</script>',
        "_static/styles/theme.css": "p { color: red; }" * 100,
        "_images/a b.webp": "picture",
        "_static/late.js": "late" * 100,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path


def test_the_files_of_a_page(small_site):
    by_tags = ["_images/a b.webp", "_static/styles/theme.css", "book/index.html"]
    assert files_of(small_site, "book/index.html") == by_tags
    late = ["http://127.0.0.1:1/_static/late.js", (small_site / "_static/late.js").as_uri()]
    for address in late:
        found = files_of(small_site, "book/index.html", [address, "data:text/plain,x"])
        assert found == sorted([*by_tags, "_static/late.js"])


def test_the_weight_of_a_page(small_site):
    weight = weigh(small_site, "book/index.html")
    page = (small_site / "book/index.html").read_bytes()
    style = (small_site / "_static/styles/theme.css").read_bytes()
    assert weight.own == len(page) + len("picture")
    assert weight.own_gzip == len(gzip.compress(page, 6)) + len("picture")  # which would grow
    assert (weight.foreign, weight.foreign_gzip) == (len(style), len(gzip.compress(style, 6)))
    assert weight.files == 3


def test_shifts_add_up_within_a_window():
    assert layout_shift([]) == 0
    assert layout_shift([(0, 0.1, ""), (1000, 0.2, "")]) == pytest.approx(0.3)
    assert layout_shift([(0, 0.1, ""), (1001, 0.2, "")]) == 0.2  # after a pause
    long = [(900 * i, 0.1, "") for i in range(10)]  # longer than a window of five seconds
    assert layout_shift(long) == pytest.approx(0.6)


@pytest.mark.parametrize("name", ["before", "pages"])
def test_the_stored_results(name, capsys):
    result = load(RESULTS / f"{name}.json")
    assert not result.quick
    main(["--print", "--name", name])
    assert capsys.readouterr().out.strip() == report(result)


def test_the_stored_pages_stay_still_and_are_light():
    result = load(RESULTS / "pages.json")
    assert [row for row in result.rows if row.cls >= 0.1] == []
    assert [weight for weight in result.weights if weight.own >= 1_000_000] == []
