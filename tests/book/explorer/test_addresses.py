"""What an address says is what the explorer shows, and a wrong one gives a sentence."""

import random

import numpy as np
import pytest

from convlab import shapes
from tests.book.explorer.reading import change_address, results, shown
from tests.book.explorer.settings import OPS, as_text, expected, random_setting

# Settings of all kinds are tried, those that PyTorch warns of included.
pytestmark = pytest.mark.filterwarnings("ignore:Initializing zero", "ignore:Using padding='same'")


@pytest.mark.parametrize("op", OPS)
def test_an_address_opens_what_it_says(explorer_at, op):
    dice = random.Random(f"{op} address")
    for place in range(9):
        setting = random_setting(dice, op)
        if isinstance(setting["padding"], list):
            setting["padding"] = setting["padding"][:2]
        words = {
            name: int(value) if isinstance(value, bool) else as_text(value)
            for name, value in setting.items()
        }
        address = "&".join(f"{name}={value}" for name, value in words.items())
        if place % 3 == 0:
            page = explorer_at(address)
        else:
            change_address(page, address)
        case, got = expected(setting, dice), results(page)
        if case["y"] is None:
            assert got["error"], setting
            assert not got["output-shape"]
        else:
            assert got["error"] == "", setting
            assert got["output-shape"] == as_text(list(np.shape(case["y"])))
            assert got["parameters"] == str(case["parameters"])


def test_the_first_layer_of_resnet(explorer_at):
    address = "op=conv2d&input=3x224x224&out_channels=64&kernel_size=7&stride=2&padding=3&bias=0"
    page = explorer_at(address)
    values = {
        "output-shape": "64x112x112",
        "dropped": "1x1",
        "parameters": "9408",
        "macs": str(shapes.conv2d_macs(224, 3, 64, kernel_size=7, stride=2, padding=3)),
        "code": "nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)",
    }
    assert results(page).items() >= values.items()


WRONG = [
    "op=evil&input=3x224x224",
    "input=<script>window.hacked=1</script>",
    "input=%3Cimg src=x onerror=window.hacked=1%3E",
    "stride=99999999999999999999",
    "input=3x2147483648x5",
    "kernel_size=-3",
    "kernel_size=2147483647&dilation=2147483647",
    "padding=1,2,3",
    "padding=%zz",
    "groups=0",
    "unknown=1",
    "%E0%A4%A=1",
    "stride=1e9",
    "kernel_size=3x3x3",
    "kernel_size=",
    "__proto__=1",
    "bias=maybe",
    "bias=constructor",
]


def test_a_wrong_address_gives_a_sentence(explorer_at):
    for place, address in enumerate(WRONG):
        if place % 3 == 0:
            page = explorer_at(address)
        else:
            change_address(page, address)
        got = results(page)
        assert len(got["error"]) > 10, address
        assert not got["output-shape"], address
        assert page.evaluate("window.hacked") is None, address
        page.locator(".explorer [name=op]").select_option("conv2d")  # and it still works


def test_a_wrong_layer_gives_a_sentence(open_tab, site):
    tab = open_tab((site / "book" / "explorer.html").as_uri())
    for word in ("constructor", "__proto__", "toString", "c;constructor;c"):
        change_address(tab.page, f"input=1x9x9&layers={word}")
        assert "is not one of conv2d" in tab.page.locator(".ex-network").inner_text(), word
        assert shown(tab.page, "error") == "", word
    assert not tab.faults


def test_numbers_of_an_address_that_do_not_fit_are_reported(explorer_at):
    page = explorer_at("op=conv2d&input=1x5x5&kernel_size=2&x=1,2,3&w=edge")
    for name in "xw":
        assert f"The numbers {name} do not fit" in caption(page)
    change_address(page, "op=conv2d&input=1x5x5&kernel_size=3&x=7&w=edge")
    assert "do not fit" not in caption(page)


def caption(page):
    return page.locator(".ex-caption").inner_text()
