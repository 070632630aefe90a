"""The figures of single chapters: groups, learning rate, padding mode, normalization."""

import itertools

import numpy as np
import torch
from torch import nn

from convlab import ops
from tests.book.explorer.reading import fill


def test_the_groups_figure_counts_what_reaches_an_output(explorer_at):
    page = explorer_at(name="groups")
    figure = page.locator("conv-explorer")
    figure.get_by_label("shuffle between the layers").check()
    assert "3 groups, shuffled" in figure.locator("p").inner_text()
    for groups, shuffled in itertools.product((1, 2, 3, 4, 6, 12), (False, True)):
        text = fill(figure, str(groups), shuffled)
        layers = [nn.Conv2d(12, 12, 1, groups=groups, bias=False) for _ in range(2)]
        if shuffled:
            layers.insert(1, nn.ChannelShuffle(groups))
        x = torch.ones(1, 12, 1, 1, requires_grad=True)
        nn.Sequential(*layers)(x)[0, 0].backward()
        seen = int(torch.count_nonzero(x.grad))
        assert f"sees {seen} of the 12 input channels" in text
        assert figure.locator(".ex-block").first.locator(".ex-read").count() == seen


def test_the_learning_rate_figure_descends_as_the_chapter_does(explorer_at):
    page = explorer_at(name="training")
    figure = page.locator("conv-explorer")
    for rate in (0.01, 0.1, 0.125, 0.24, 0.25, 0.3):
        text = fill(figure, str(rate)).replace("−", "-")
        w = 1.0
        for _ in range(8):
            w -= rate * 4 * (2 * w - 8)
        assert f"by {1 - 8 * rate:g}:" in text
        assert f"w = {w:.2f}" in text


def test_the_border_figure_pads_as_convlab_does(explorer_at):
    page = explorer_at(name="padding")
    figure = page.locator("conv-explorer[data-tool=border]")
    figure.locator("select").select_option("circular")
    figure.locator("input").press("ArrowLeft")
    assert figure.locator("p").inner_text() == 'padding_mode="circular", padding=2: 3 4 1 2 3 4 1 2'
    for mode, amount in itertools.product(ops.PADDING_MODES, range(4)):
        text = fill(figure, mode, str(amount))
        row = ops.pad2d(np.arange(1, 5).reshape(1, 1, 4), (0, amount), mode).ravel()
        assert text.endswith(f": {' '.join(map(str, row))}")


def test_the_normalization_figure_counts_means(explorer_at):
    page = explorer_at(name="normalization")
    figure = page.locator("conv-explorer")
    for name in figure.locator("option").all_inner_texts():
        layer = eval(f"nn.{name}", {"nn": nn})
        x = torch.randn(3, 4, 3, 3, requires_grad=True)
        layer(x)[0, 0, 0, 1].backward()
        seen = x.grad.flatten(2).abs().amax(2) > 0  # (image, channel)
        text = fill(figure, name)
        cells = figure.locator(".ex-cell")
        drawn = cells.evaluate_all("all => all.map(c => c.classList.contains('ex-read'))")
        assert drawn == seen.ravel().tolist()
        numbers = set(cells.all_inner_texts())
        assert f"{len(numbers)} means" in text
        assert len(numbers) == 12 // int(seen.sum())
