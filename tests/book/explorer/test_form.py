"""The form of a setting, and what would fix one that PyTorch refuses."""

import random

import pytest

from tests.book.explorer.reading import change_address, shown
from tests.book.explorer.settings import OPS, SETTINGS, expected, random_setting

# Settings of all kinds are tried, those that PyTorch warns of included.
pytestmark = pytest.mark.filterwarnings("ignore:Initializing zero", "ignore:Using padding='same'")


def test_typing_does_not_jam(explorer_at):
    page = explorer_at()
    stride = page.locator(".explorer [name=stride]")
    stride.fill("")
    assert stride.input_value() == ""
    page.locator(".explorer [name=kernel_size]").fill("3x")
    assert "kernel_size=3x" in shown(page, "error")
    page.locator(".explorer [name=kernel_size]").fill("3x2")
    assert shown(page, "error") == ""
    assert shown(page, "output-shape") == "1x4x5"


def test_another_kind_of_layer_remembers_what_it_does_not_take(explorer_at):
    page = explorer_at("op=conv2d&input=4x8x8&out_channels=4&groups=2&dilation=2")
    page.locator(".explorer [name=op]").select_option("avg_pool2d")
    assert shown(page, "error") == ""
    page.locator(".explorer [name=op]").select_option("conv2d")
    assert shown(page, "code") == "nn.Conv2d(4, 4, kernel_size=3, dilation=2, groups=2)"


FIXES = [
    ("op=conv2d&input=1x5x5&kernel_size=7", "padding=1", "1x1x1"),
    ("op=conv2d&input=1x5x5&kernel_size=7", "kernel_size=5", "1x1x1"),
    ("op=conv2d&input=4x8x8&out_channels=6&groups=3", "groups=2", "6x6x6"),
    ("op=conv2d&input=1x8x8&stride=2&padding=same", "stride=1", "1x8x8"),
    ("op=conv2d&input=1x4x4&padding=4&padding_mode=reflect", "padding=3", "1x8x8"),
    ("op=avg_pool2d&input=64x7x7&kernel_size=8", "kernel_size=7", "64x1x1"),
    ("op=conv_transpose2d&input=1x4x4&output_padding=1", "stride=2", "1x10x10"),
    ("op=max_pool2d&input=1x6x6&kernel_size=3&padding=2", "padding=1", "1x2x2"),
    # two mistakes at once
    ("op=conv2d&input=4x5x5&out_channels=6&groups=3&kernel_size=9", "groups=2, padding=2", "6x1x1"),
    ("op=max_pool2d&input=1x2x2&kernel_size=4&padding=3&stride=0", "stride=1, padding=2", "1x3x3"),
]  # fmt: skip


def test_a_fix_is_pressed(explorer_at):
    page = explorer_at()
    for address, fix, shape in FIXES:
        change_address(page, address)
        assert shown(page, "error"), address
        page.get_by_role("button", name=fix, exact=True).click()
        assert shown(page, "error") == "", address
        assert shown(page, "output-shape") == shape
        assert all(part in page.url for part in fix.split(", "))


def test_every_fix_is_one_that_pytorch_takes(explorer_at):
    page = explorer_at()
    dice = random.Random("fixes")
    settings = [random_setting(dice, dice.choice(OPS)) for _ in range(SETTINGS)]
    wrong = [setting for setting in settings if expected(setting, dice)["y"] is None]
    found = page.evaluate("all => all.map(Explorer.calculator.fixes)", wrong)
    sizes = []
    for setting, fixes in zip(wrong, found, strict=True):
        for names, fixed in fixes:
            sizes.append(len(names))
            assert {name for name in setting if fixed[name] != setting[name]} == set(names)
            assert expected(fixed, dice)["y"] is not None, (setting, fixed)
    assert sum(map(bool, found)) > 0.9 * len(wrong)
    assert 0 < sizes.count(2) < sizes.count(1)
