"""Compare the explorer's arithmetic with PyTorch and with convlab, in bulk."""

import random

import numpy as np
import pytest
import torch
from torch import nn

from convlab import ops, shapes
from tests.book.explorer.settings import OPS, SETTINGS, expected, random_setting

# Settings of all kinds are tried, those that PyTorch warns of included.
pytestmark = pytest.mark.filterwarnings("ignore:Initializing zero", "ignore:Using padding='same'")


COMPUTE = """cases => cases.map(({setting, x, w, b}) => {
  const { layer, forward } = Explorer.arithmetic, { code } = Explorer.address;
  const { error, shape, dropped, parameters, macs } = layer(setting);
  if (error) return { error };
  const y = forward(setting, x, w, b).map(p => p.map(r => r.map(v => v === -Infinity ? -1e9 : v)));
  return { error, shape, dropped, y, code: code(setting), parameters: Number(parameters),
           macs: Number(macs) };
})"""


@pytest.mark.parametrize("op", OPS)
def test_the_arithmetic_is_that_of_pytorch(arithmetic, op):
    dice = random.Random(f"{op} 0")
    cases = [expected(random_setting(dice, op), dice) for _ in range(SETTINGS)]
    for case, got in zip(cases, arithmetic.evaluate(COMPUTE, cases), strict=True):
        setting = case["setting"]
        if case["y"] is None:
            assert got["error"], (setting, case["message"])
            continue
        assert got["error"] == "", (setting, got["error"])
        assert got["shape"] == list(np.shape(case["y"])), setting
        assert got["parameters"] == case["parameters"], setting
        assert np.allclose(got["y"], case["y"], atol=1e-4), setting
    impossible = sum(case["y"] is None for case in cases)
    assert SETTINGS / 20 < impossible < SETTINGS * 0.8


def test_its_counts_are_those_of_convlab(arithmetic):
    dice = random.Random("counts")
    cases = [expected(random_setting(dice, "conv2d"), dice) for _ in range(SETTINGS)]
    cases = [case for case in cases if case["y"] is not None]
    for case, got in zip(cases, arithmetic.evaluate(COMPUTE, cases), strict=True):
        setting = case["setting"]
        padding = setting["padding"]
        if isinstance(padding, list) and (len(padding) == 4 or min(padding) < 0):
            continue  # convlab refuses these
        geometry = {"kernel_size": setting["kernel_size"], "stride": setting["stride"],
                    "padding": padding if isinstance(padding, str) else tuple(padding),
                    "dilation": setting["dilation"]}  # fmt: skip
        size = tuple(setting["input"][1:])
        assert got["shape"][1:] == list(shapes.conv2d_output_size(size, **geometry))
        assert got["dropped"] == list(shapes.conv2d_dropped_border(size, **geometry))
        macs = shapes.conv2d_macs(
            size, setting["input"][0], setting["out_channels"], groups=setting["groups"], **geometry
        )
        assert got["macs"] == macs
        y = ops.conv2d(
            np.array(case["x"])[None], np.array(case["w"]),
            None if case["b"] is None else np.array(case["b"]),
            setting["stride"], geometry["padding"], setting["dilation"], setting["groups"],
            padding_mode=setting["padding_mode"],
        )  # fmt: skip
        assert np.allclose(got["y"], y[0])


def test_a_line_of_pytorch_makes_the_layer(arithmetic):
    dice = random.Random("code")
    for op in OPS:
        cases = [expected(random_setting(dice, op), dice) for _ in range(40)]
        cases = [case for case in cases if case["y"] is not None]
        for case, got in zip(cases, arithmetic.evaluate(COMPUTE, cases), strict=True):
            layer = eval(got["code"], {"nn": nn})
            shape = layer(torch.zeros(1, *case["setting"]["input"])).shape
            assert list(shape[1:]) == got["shape"], got["code"]


def test_who_is_read_is_who_feeds(arithmetic):
    """The cells that an output reads, and the outputs that a cell feeds, are the same pairs."""
    dice = random.Random("feeds")
    script = """setting => {
      const { layer, feeds, reads } = Explorer.arithmetic;
      const { error, shape } = layer(setting);
      if (error) return null;
      const there = [], back = [];
      for (let r = 0; r < shape[1]; r++) for (let k = 0; k < shape[2]; k++)
        for (const one of reads(setting, [0, r, k]))
          if (one.row >= 0) there.push(`${one.row},${one.column}>${r},${k}`);
      for (let r = 0; r < setting.input[1]; r++) for (let k = 0; k < setting.input[2]; k++)
        for (const [a, b] of feeds(setting, shape, [r, k])) back.push(`${r},${k}>${a},${b}`);
      return [[...new Set(there)].sort(), [...new Set(back)].sort()];
    }"""
    checked = 0
    for op in OPS:
        for _ in range(30):
            if found := arithmetic.evaluate(script, random_setting(dice, op)):
                assert found[0] == found[1]
                checked += 1
    assert checked > 50
