"""The tables of a summary."""

from torch import nn

from convlab.summary import summary


def test_the_table_fits_a_screen_and_the_page_is_safe():
    name = "a_rather_long_name_for_a_block_of_a_network"
    inner = nn.Sequential()
    inner.add_module(name, nn.Conv2d(1, 64, 3))
    outer = nn.Sequential()
    outer.add_module(name, inner)
    found = summary(outer, (1, 224, 224))
    assert all(len(line) <= 100 for line in str(found).splitlines())
    assert "\na_rather_long_n…ck_of_a_network  " in str(found)
    page = found._repr_html_()
    assert f"{name}.{name}" in page
    assert 'scope="col"' in page
    assert 'scope="row"' in page
    assert 'tabindex="0"' in page
    unusual = type("A<b>", (nn.ReLU,), {})
    assert "A&lt;b&gt;" in summary(unusual(), (1, 2, 2))._repr_html_()
