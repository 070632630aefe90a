"""The zip file of the site: complete, reproducible, and readable from a folder."""

import zipfile

import pytest

from tests.book.book_files import toc_pages
from tools.zip_site import FOLDER, zip_site


@pytest.fixture(scope="module")
def archive(site, tmp_path_factory):
    path = tmp_path_factory.mktemp("zip") / "site.zip"
    zip_site(site, path)
    return path


@pytest.fixture(scope="module")
def unpacked(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("my downloads (1)")  # as a reader's folder may be called
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder / FOLDER


def test_the_same_site_gives_the_same_bytes(site, archive, tmp_path):
    again = tmp_path / "again.zip"
    zip_site(site, again)
    assert again.read_bytes() == archive.read_bytes()


def test_everything_lies_in_one_folder(archive):
    with zipfile.ZipFile(archive) as opened:
        assert {name.partition("/")[0] for name in opened.namelist()} == {FOLDER}
        assert opened.testzip() is None


def test_all_pages_and_notebooks_are_in_it(unpacked):
    assert [page for page in toc_pages() if not (unpacked / page).is_file()] == []
    assert (unpacked / "_sources/book/shapes.ipynb").is_file()


@pytest.mark.parametrize("page", ["index", "book/math", "book/shapes", "book/errors", "search"])
def test_a_page_works_from_the_folder(unpacked, new_tab, page):
    tab = new_tab((unpacked / f"{page}.html").as_uri())
    tab.page.wait_for_load_state("networkidle")
    assert tab.faults == []


def test_figures_and_formulas_are_drawn(unpacked, new_tab):
    tab = new_tab((unpacked / "book/shapes.html").as_uri())
    assert tab.page.locator("conv-explorer .ex-cell").count() > 0
    assert tab.page.locator("mjx-container svg").count() > 0


def test_the_search_finds_a_chapter(unpacked, new_tab):
    tab = new_tab((unpacked / "search.html").as_uri() + "?q=dilation")
    tab.page.get_by_role("link", name="dilation").first.wait_for()


def test_without_a_site_it_says_how_to_build_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="make book"):
        zip_site(tmp_path, tmp_path / "site.zip")
    assert not (tmp_path / "site.zip").exists()
