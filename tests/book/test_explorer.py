"""Compare the explorer with PyTorch in a browser: the arithmetic in bulk, addresses, keyboard."""

import os
import random

import numpy as np
import pytest
import torch
from torch import nn

from convlab import ops, shapes
from tests.book.book_files import ROOT, toc_pages

# Settings of all kinds are tried, those that PyTorch warns of included.
pytestmark = pytest.mark.filterwarnings("ignore:Initializing zero", "ignore:Using padding='same'")

SCRIPTS = ROOT / "book" / "_static" / "explorer"
OPS = ("conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d")
SETTINGS = {"few": 30, "sample": 120, "full": 2000}[os.environ.get("CONVLAB_EXAMPLES", "sample")]
MODES = ("reflect", "replicate", "circular")
PADS = {"zeros": nn.ZeroPad2d, "reflect": nn.ReflectionPad2d,
        "replicate": nn.ReplicationPad2d, "circular": nn.CircularPad2d}  # fmt: skip


def pair(dice, low, high):
    first = dice.randint(low, high)
    return [first, first if dice.random() < 0.6 else dice.randint(low, high)]


def random_setting(dice, op):
    """Draw a setting, possible or not, as `Explorer.arithmetic` takes it."""
    groups = 1 if op.endswith("pool2d") else dice.choice([1, 1, 1, 2, 3])
    setting = {
        "op": op,
        "input": [groups * dice.randint(1, 2), dice.randint(1, 9), dice.randint(1, 9)],
        "out_channels": groups * dice.randint(1, 2) + (dice.random() < 0.05),
        "kernel_size": pair(dice, 1, 4),
        "stride": pair(dice, 1, 3),
        "padding": pair(dice, 0, 3),
        "dilation": [1, 1] if op == "avg_pool2d" else pair(dice, 1, 3),
        "output_padding": pair(dice, 0, 2) if op == "conv_transpose2d" else [0, 0],
        "groups": groups,
        "bias": dice.random() < 0.5,
        "padding_mode": "zeros",
        "ceil_mode": dice.random() < 0.5,
        "count_include_pad": dice.random() < 0.5,
    }
    if op.endswith("pool2d") and dice.random() < 0.8:  # at most half of the kernel
        setting["padding"] = [dice.randint(0, size // 2) for size in setting["kernel_size"]]
    if op == "conv2d":
        setting["padding_mode"] = dice.choice(["zeros", "zeros", *MODES])
        least = -1 if setting["padding_mode"] == "zeros" else 0  # a negative number cuts
        four = [dice.randint(least, 3) for _ in range(4)]
        setting["padding"] = dice.choice([setting["padding"]] * 4 + ["same", "valid", four])
        if setting["padding"] == "same" and dice.random() < 0.8:
            setting["stride"] = [1, 1]
    if dice.random() < 0.05:
        name = dice.choice(["stride", "kernel_size", "padding"])
        if len(setting[name]) == 2:
            setting[name] = [dice.choice([0, -1]), *setting[name][1:]]
    return setting


def layer_of(setting):
    """Build PyTorch's layer; raises what PyTorch raises."""
    of = {name: tuple(v) if isinstance(v, list) else v for name, v in setting.items()}
    kernel, stride, padding, dilation = (
        of[name] for name in ("kernel_size", "stride", "padding", "dilation")
    )
    if of["op"] == "max_pool2d":
        return nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=of["ceil_mode"])
    if of["op"] == "avg_pool2d":
        return nn.AvgPool2d(kernel, stride, padding, of["ceil_mode"], of["count_include_pad"])
    channels = of["input"][0], of["out_channels"]
    more = {"stride": stride, "dilation": dilation, "groups": of["groups"], "bias": of["bias"]}
    if of["op"] == "conv_transpose2d":
        more |= {"padding": padding, "output_padding": of["output_padding"]}
        return nn.ConvTranspose2d(*channels, kernel, **more)
    mode = of["padding_mode"]
    if len(padding) == 4 and not isinstance(padding, str):
        return nn.Sequential(PADS[mode](padding), nn.Conv2d(*channels, kernel, **more))
    return nn.Conv2d(*channels, kernel, padding=padding, padding_mode=mode, **more)


def expected(setting, dice):
    """Run PyTorch on whole numbers: input, weight, bias and output, or its message."""
    x = torch.tensor([[[dice.randint(-5, 5) for _ in range(setting["input"][2])]
                       for _ in range(setting["input"][1])]
                      for _ in range(setting["input"][0])]).float()  # fmt: skip
    found = {"setting": setting, "x": x.tolist(), "w": None, "b": None, "y": None}
    try:
        layer = layer_of(setting)
        for parameter in layer.parameters():
            numbers = [dice.randint(-3, 3) for _ in range(parameter.numel())]
            with torch.no_grad():
                parameter.copy_(torch.tensor(numbers).view(parameter.shape))
        for parameter in layer.parameters():
            found["b" if parameter.dim() == 1 else "w"] = parameter.tolist()
        y = layer(x[None])[0]
    except (RuntimeError, ValueError) as error:
        return found | {"message": str(error).splitlines()[0]}
    if not y.numel():  # PyTorch returns it or refuses it, depending on the method it chooses
        return found | {"message": "empty"}
    finite = y.nan_to_num(neginf=-1e9)  # max pooling of padding alone
    parameters = sum(parameter.numel() for parameter in layer.parameters())
    return found | {"y": finite.tolist(), "parameters": parameters}


# Adds up the layout shifts that no input of the reader explains.
SHIFTS = """window.shifted = 0;
new PerformanceObserver(list => list.getEntries().forEach(
  entry => { if (!entry.hadRecentInput) window.shifted += entry.value; }
)).observe({ type: "layout-shift", buffered: true });"""


def has_explorer(page):
    """Tell whether a page of the site has an interactive figure."""
    source = (ROOT / page).with_suffix("")
    texts = [source.with_suffix(kind) for kind in (".md", ".ipynb")]
    return any("{explorer}" in path.read_text(encoding="utf-8") for path in texts if path.exists())


COMPUTE = """cases => cases.map(({setting, x, w, b}) => {
  const { layer, forward, code, feeds, reads } = Explorer.arithmetic;
  const { error, shape, dropped, parameters, macs } = layer(setting);
  if (error) return { error };
  const y = forward(setting, x, w, b).map(p => p.map(r => r.map(v => v === -Infinity ? -1e9 : v)));
  return { error, shape, dropped, y, code: code(setting), parameters: Number(parameters),
           macs: Number(macs) };
})"""


@pytest.fixture
def arithmetic(new_tab):
    """Open an empty page that has only the arithmetic."""
    page = new_tab("about:blank").page
    page.add_script_tag(path=SCRIPTS / "arithmetic.js")
    return page


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


def shown(page, name):
    """Read one of the marked results."""
    return page.locator(f'[data-explorer="{name}"]').inner_text()


def as_text(value):
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("op", OPS)
def test_an_address_opens_what_it_says(new_tab, site, op):
    dice = random.Random(f"{op} address")
    base = (site / "book" / "explorer.html").as_uri()
    page = new_tab(base).page
    for _ in range(6):
        setting = random_setting(dice, op)
        if isinstance(setting["padding"], list):
            setting["padding"] = setting["padding"][:2]
        words = {
            name: int(value) if isinstance(value, bool) else as_text(value)
            for name, value in setting.items()
        }
        page.goto("about:blank")
        page.goto(f"{base}#" + "&".join(f"{name}={value}" for name, value in words.items()))
        case = expected(setting, dice)
        if case["y"] is None:
            assert shown(page, "error"), setting
            assert not page.locator('[data-explorer="output-shape"]').text_content()
        else:
            assert shown(page, "error") == "", setting
            assert shown(page, "output-shape") == as_text(list(np.shape(case["y"])))
            assert shown(page, "parameters") == str(case["parameters"])


def test_the_first_layer_of_resnet(new_tab, site):
    address = "op=conv2d&input=3x224x224&out_channels=64&kernel_size=7&stride=2&padding=3&bias=0"
    page = new_tab(f"{(site / 'book' / 'explorer.html').as_uri()}#{address}").page
    values = {
        "output-shape": "64x112x112",
        "dropped": "1x1",
        "parameters": "9408",
        "macs": str(shapes.conv2d_macs(224, 3, 64, kernel_size=7, stride=2, padding=3)),
        "code": "nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)",
    }
    assert {name: shown(page, name) for name in values} == values


@pytest.mark.parametrize(
    "address",
    [
        "op=evil&input=3x224x224",
        "input=<script>window.hacked=1</script>",
        "input=%3Cimg src=x onerror=window.hacked=1%3E",
        "stride=99999999999999999999",
        "input=3x2147483648x5",
        "kernel_size=-3",
        "padding=1,2,3",
        "groups=0",
        "unknown=1",
        "%E0%A4%A=1",
        "stride=1e9",
        "kernel_size=3x3x3",
        "__proto__=1",
        "bias=maybe",
    ],
)
def test_a_wrong_address_gives_a_sentence(new_tab, site, address):
    page = new_tab(f"{(site / 'book' / 'explorer.html').as_uri()}#{address}").page
    assert len(shown(page, "error")) > 10
    assert not page.locator('[data-explorer="output-shape"]').text_content()
    assert page.evaluate("window.hacked") is None
    page.locator(".explorer [name=op]").select_option("conv2d")  # and it still works


def test_the_keyboard_moves_the_window_and_edits_numbers(new_tab, site):
    x, w = np.arange(25.0).reshape(1, 5, 5) % 7, np.array([[[[1, 2], [3, 4.0]]]])
    numbers = ",".join(str(int(one)) for one in x.ravel()) + "&w=1,2,3,4"
    address = f"op=conv2d&input=1x5x5&kernel_size=2&bias=0&x={numbers}"
    page = new_tab(f"{(site / 'book' / 'explorer.html').as_uri()}#{address}").page
    y = ops.conv2d(x[None], w)[0, 0]
    page.locator('.ex-output [tabindex="0"]').focus()
    for row, column in [(0, 1), (0, 2), (1, 2), (2, 2), (2, 1)]:
        moved = page.evaluate("document.activeElement.place.key")
        key = {(0, 1): "ArrowRight", (1, 0): "ArrowDown", (0, -1): "ArrowLeft"}[
            (row - moved[1], column - moved[2])
        ]
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.place.key") == [0, row, column]
        assert f"row {row}, column {column}" in page.locator(".ex-player .ex-sum").inner_text()
        assert page.locator(".ex-player .ex-sum").inner_text().endswith(f"= {int(y[row, column])}")
        assert page.locator(".ex-input .ex-read").count() == 4
    page.locator('.ex-kernel [tabindex="0"]').focus()
    page.keyboard.press("Enter")
    page.keyboard.type("-9")
    page.keyboard.press("Enter")
    w[0, 0, 0, 0] = -9
    assert "w=-9,2,3,4" in page.url
    shown_now = page.locator(".ex-output .ex-cell").all_inner_texts()
    right = [str(int(one)).replace("-", "−") for one in ops.conv2d(x[None], w)[0, 0].ravel()]
    assert shown_now == right


def test_pointing_at_an_input_cell_shows_where_it_goes(new_tab, site):
    address = "op=conv2d&input=1x5x5&kernel_size=3&stride=2&padding=1"
    page = new_tab(f"{(site / 'book' / 'explorer.html').as_uri()}#{address}").page
    page.locator(".ex-input .ex-cell:not(.ex-border)").nth(6).hover()  # row 1, column 1
    assert page.locator(".ex-output .ex-fed").count() == 4
    assert "takes part in 4 outputs" in page.locator(".ex-player .ex-sum").inner_text()


def test_typing_does_not_jam(new_tab, site):
    page = new_tab((site / "book" / "explorer.html").as_uri()).page
    stride = page.locator(".explorer [name=stride]")
    stride.fill("")
    assert stride.input_value() == ""
    page.locator(".explorer [name=kernel_size]").fill("3x")
    assert "kernel_size=3x" in shown(page, "error")
    page.locator(".explorer [name=kernel_size]").fill("3x2")
    assert shown(page, "error") == ""
    assert shown(page, "output-shape") == "1x4x5"


@pytest.mark.parametrize("name", [page for page in toc_pages() if has_explorer(page)])
def test_a_page_with_figures_loads_little_and_does_not_move(new_tab, site, name):
    tab = new_tab("about:blank")
    tab.page.add_init_script(SHIFTS)
    tab.open((site / name).as_uri())
    scripts = tab.page.locator("script[src*='explorer/']").evaluate_all(
        "all => all.map(s => s.src)"
    )
    assert sum((SCRIPTS / script.split("/")[-1]).stat().st_size for script in scripts) < 60_000
    assert tab.page.locator("conv-explorer").count() > 0
    assert all(not text for text in tab.page.locator(".ex-error").all_inner_texts())
    assert tab.page.locator("conv-explorer :is(.ex-read, canvas, [data-explorer])").count() > 0
    assert tab.page.evaluate("window.shifted") < 0.1
    assert not tab.faults
