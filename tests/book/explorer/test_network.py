"""Stacks of layers: counts, receptive fields, numbers of paths."""

import random
import re

import torch
import torchvision

from convlab import shapes
from tests.book.explorer.reading import change_address, shown


def test_a_network_of_the_list_is_the_known_one(explorer_at):
    page = explorer_at()
    known = {
        "LeNet-5": [61_706, "10x1x1"],
        "VGG16": [138_357_544, "1000x1x1"],
        # torchvision's 11,689,512, less the shortcuts' projections and the normalization
        "ResNet-18 without shortcuts": [11_689_512 - 172_032 - 9_600, "1000x1x1"],
    }
    assert known["VGG16"][0] == count_parameters(torchvision.models.vgg16)
    assert count_parameters(torchvision.models.resnet18) == 11_689_512
    for name, (parameters, shape) in known.items():
        page.get_by_role("button", name=name).click()
        text = shown(page, "network")
        assert f"output {shape}, {parameters:,} parameters" in text, name


def count_parameters(build):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build().parameters())


def test_a_stack_counts_as_convlab_does(explorer_at):
    """Receptive fields and numbers of paths, at a cell that the arrow keys have chosen."""
    dice = random.Random("stack")
    page = explorer_at()
    for _ in range(8):
        layers = [(dice.randint(1, 4), dice.randint(1, 2), dice.randint(1, 3)) for _ in range(3)]
        words = ";".join(f"c:1:{k}:{s}::{d}" for k, s, d in layers)
        change_address(page, f"op=conv2d&input=1x60x60&layers={words}")
        field, _ = shapes.receptive_fields(layers)[-1]
        row = page.locator(".ex-network tbody tr").last
        assert row.locator("td").nth(5).inner_text() == f"{field.size}, {field.jump}"
        target = page.locator(".ex-target")
        target.focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowUp")
        text = page.locator(".ex-stack .ex-sum").inner_text()
        cell = int(re.search(r"Cell \((\d+), \1\)", text)[1])
        counts, _ = shapes.path_counts(layers)
        first = cell * field.jump
        used = [first + place for place, count in enumerate(counts) if count]
        holes = used[-1] - used[0] + 1 - len(used)
        say = f"{used[0]} to {used[-1]}" + (f" ({holes} of them are holes)" if holes else "")
        assert f"sees rows {say} and columns {say} of the input" in text
        least, most = min(count for count in counts if count) ** 2, max(counts) ** 2
        number = f"{least:,} to {most:,}" if least < most else f"{most:,}"
        assert f"lies on {number} path" in text


def test_layers_are_added_and_removed(explorer_at):
    page = explorer_at("op=conv2d&input=3x32x32&out_channels=8&kernel_size=3&bias=0")
    page.get_by_role("button", name="Add this layer").click()
    page.locator(".explorer [name=op]").select_option("max_pool2d")
    page.locator(".explorer [name=kernel_size]").fill("2")
    page.locator(".explorer [name=stride]").fill("")
    page.locator(".explorer [name=ceil_mode]").check()
    page.get_by_role("button", name="Add this layer").click()
    assert "layers=c:8:bias=0;m::2:ceil_mode=1" in page.url
    outputs = page.locator(".ex-network tbody td:nth-child(3)").all_inner_texts()
    assert outputs == ["8x30x30", "8x15x15"]
    again = explorer_at(page.url.split("#")[1])
    assert again.locator(".ex-network tbody td:nth-child(3)").all_inner_texts() == outputs
    again.locator(".explorer [name=ceil_mode]").uncheck()
    again.locator(".explorer [name=kernel_size]").fill("50")
    again.get_by_role("button", name="Add this layer").click()
    assert "Not added: after 8x15x15" in shown(again, "network")
    assert again.locator(".ex-network tbody tr").count() == 2
    again.get_by_role("button", name="Remove layer 1").click()
    assert again.evaluate("document.activeElement.ariaLabel") == "Remove layer 1"
    assert again.locator(".ex-network tbody td:nth-child(3)").all_inner_texts() == ["3x16x16"]
    again.get_by_role("button", name="Clear").click()
    assert "layers" not in again.url
