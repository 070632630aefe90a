"""Compare the explorer with PyTorch in a browser: the arithmetic in bulk, addresses, keyboard."""

import itertools
import os
import random
import re

import numpy as np
import pytest
import torch
import torchvision
from sklearn.datasets import load_sample_image
from torch import nn

from convlab import ops, shapes
from tests.book.book_files import ROOT, toc_pages
from tests.book.tab import PHONE, Tab

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
        four = [dice.randint(-1, 3) for _ in range(4)]  # a negative number cuts
        if dice.random() < 0.1:
            four[dice.randrange(4)] = -5
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
  const { layer, forward } = Explorer.arithmetic, { code } = Explorer.address;
  const { error, shape, dropped, parameters, macs } = layer(setting);
  if (error) return { error };
  const y = forward(setting, x, w, b).map(p => p.map(r => r.map(v => v === -Infinity ? -1e9 : v)));
  return { error, shape, dropped, y, code: code(setting), parameters: Number(parameters),
           macs: Number(macs) };
})"""


@pytest.fixture(scope="module")
def shared_tab(browser):
    tab = Tab(browser)
    tab.page.add_init_script(SHIFTS)
    yield tab
    tab.close()


@pytest.fixture
def new_tab(shared_tab):
    """Give a function that opens an address in the one tab of this module: a new one is slow."""

    def open_tab(url):
        shared_tab.open("about:blank")  # or another address of the same page would not load it
        if url != "about:blank":
            shared_tab.open(url)
        return shared_tab

    return open_tab


@pytest.fixture
def arithmetic(new_tab):
    """Open an empty page that has only the arithmetic."""
    page = new_tab("about:blank").page
    for name in ("arithmetic", "address"):
        page.add_script_tag(path=SCRIPTS / f"{name}.js")
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
    for place in range(9):
        setting = random_setting(dice, op)
        if isinstance(setting["padding"], list):
            setting["padding"] = setting["padding"][:2]
        words = {
            name: int(value) if isinstance(value, bool) else as_text(value)
            for name, value in setting.items()
        }
        address = "&".join(f"{name}={value}" for name, value in words.items())
        if place % 3:
            change_address(page, address)
        else:
            page.goto("about:blank")
            page.goto(f"{base}#{address}")
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


def test_a_wrong_address_gives_a_sentence(new_tab, site):
    page = explorer_at(new_tab, site)
    for place, address in enumerate(WRONG):
        if place % 3:
            change_address(page, address)
        else:
            page.goto("about:blank")
            page.goto(f"{(site / 'book' / 'explorer.html').as_uri()}#{address}")
        assert len(shown(page, "error")) > 10, address
        assert not page.locator('[data-explorer="output-shape"]').text_content(), address
        assert page.evaluate("window.hacked") is None, address
        page.locator(".explorer [name=op]").select_option("conv2d")  # and it still works


@pytest.mark.parametrize("word", ["constructor", "__proto__", "toString", "c;constructor;c"])
def test_a_wrong_layer_gives_a_sentence(new_tab, site, word):
    tab = new_tab(f"{(site / 'book' / 'explorer.html').as_uri()}#input=1x9x9&layers={word}")
    assert "is not one of conv2d" in tab.page.locator(".ex-network").inner_text()
    assert shown(tab.page, "error") == ""
    assert not tab.faults


def test_numbers_of_an_address_that_do_not_fit_are_reported(new_tab, site):
    page = explorer_at(new_tab, site, "op=conv2d&input=1x5x5&kernel_size=2&x=1,2,3&w=edge")
    for name in "xw":
        assert f"The numbers {name} do not fit" in caption(page)
    change_address(page, "op=conv2d&input=1x5x5&kernel_size=3&x=7&w=edge")
    assert "do not fit" not in caption(page)


def caption(page):
    return page.locator(".ex-caption").inner_text()


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
    assert "goes into 4 outputs" in page.locator(".ex-player .ex-sum").inner_text()


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


def explorer_at(new_tab, site, setting="", page="explorer"):
    """Open a page of the book, the explorer with a setting in its address."""
    return new_tab(f"{(site / 'book' / page).as_uri()}.html#{setting}").page


def change_address(page, setting):
    """Change the address of the page that is open, and wait until it has heard of it."""
    page.evaluate(
        """setting => new Promise(done => {
          addEventListener("hashchange", () => setTimeout(done), { once: true });
          location.hash = setting;
        })""",
        setting,
    )


def numbers_of(page, panel):
    """Read the numbers in a panel of the player."""
    texts = page.locator(f".ex-{panel} .ex-cell").all_text_contents()
    return [float(text.replace("−", "-").replace("∞", "inf")) for text in texts]


def marked(page, panel, mark):
    """List the places [channel, row, column] of the cells that have a mark."""
    script = "all => all.map(cell => cell.place.key)"
    return page.locator(f".ex-{panel} .ex-{mark}").evaluate_all(script)


def drag(page, start, end):
    """Press on one element, and let go on another."""
    for locator, action in ((start, page.mouse.down), (end, page.mouse.up)):
        box = locator.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
        action()


ONES = "op=conv2d&input=1x5x5&kernel_size=3&bias=0&x=1&w=1"


def test_a_number_that_is_typed_is_kept_or_given_up(new_tab, site):
    page = explorer_at(new_tab, site, ONES)
    cell = page.locator(".ex-input .ex-cell").nth(6)
    typed = [("50", "Escape", 1), ("abc", "Enter", 1), ("", "Enter", 1), ("-", "Enter", 1),
             ("−2,5", "Enter", -2.5), ("3", "Tab", 3)]  # fmt: skip
    for text, key, number in typed:
        cell.focus()
        page.keyboard.press("Enter")
        page.keyboard.type(text)
        page.locator(".ex-output .ex-cell").first.hover()  # the pointer does not disturb
        page.keyboard.press(key)
        assert numbers_of(page, "input")[6] == number, text
        assert numbers_of(page, "output")[0] == 8 + number, text
    assert page.url.count("3,1") == 1


def test_another_address_gives_up_a_number_that_is_being_typed(new_tab, site):
    tab = new_tab(f"{(site / 'book' / 'explorer.html').as_uri()}#{ONES}")
    for address in ("op=max_pool2d&input=1x3x3&kernel_size=2&x=5", "input=1x224x224", ONES):
        cell = tab.page.locator(".ex-input .ex-cell").last
        if cell.count():
            cell.focus()
            tab.page.keyboard.press("Enter")
            tab.page.keyboard.type("9")
        change_address(tab.page, address)
    assert numbers_of(tab.page, "input") == [1] * 25
    assert not tab.faults


@pytest.mark.parametrize(
    ("address", "fix", "shape"),
    [
        ("op=conv2d&input=1x5x5&kernel_size=7", "padding=1", "1x1x1"),
        ("op=conv2d&input=1x5x5&kernel_size=7", "kernel_size=5", "1x1x1"),
        ("op=conv2d&input=4x8x8&out_channels=6&groups=3", "groups=2", "6x6x6"),
        ("op=conv2d&input=1x8x8&stride=2&padding=same", "stride=1", "1x8x8"),
        ("op=conv2d&input=1x4x4&padding=4&padding_mode=reflect", "padding=3", "1x8x8"),
        ("op=avg_pool2d&input=64x7x7&kernel_size=8", "kernel_size=7", "64x1x1"),
        ("op=conv_transpose2d&input=1x4x4&output_padding=1", "stride=2", "1x10x10"),
        ("op=max_pool2d&input=1x6x6&kernel_size=3&padding=2", "padding=1", "1x2x2"),
    ],
)
def test_a_fix_is_pressed(new_tab, site, address, fix, shape):
    page = explorer_at(new_tab, site, address)
    assert shown(page, "error")
    page.get_by_role("button", name=fix, exact=True).click()
    assert shown(page, "error") == ""
    assert shown(page, "output-shape") == shape
    assert fix in page.url


def test_every_fix_is_one_that_pytorch_takes(new_tab, site):
    page = explorer_at(new_tab, site)
    dice = random.Random("fixes")
    script = """setting => Explorer.calculator.fixes(setting)
      .map(([name, value]) => ({ ...setting, [name]: value }))"""
    tried = 0
    while tried < SETTINGS // 2:
        setting = random_setting(dice, dice.choice(OPS))
        if expected(setting, dice)["y"] is None:
            for fixed in page.evaluate(script, setting):
                assert expected(fixed, dice)["y"] is not None, (setting, fixed)
                tried += 1


def test_another_kind_of_layer_remembers_what_it_does_not_take(new_tab, site):
    page = explorer_at(new_tab, site, "op=conv2d&input=4x8x8&out_channels=4&groups=2&dilation=2")
    page.locator(".explorer [name=op]").select_option("avg_pool2d")
    assert shown(page, "error") == ""
    page.locator(".explorer [name=op]").select_option("conv2d")
    assert shown(page, "code") == "nn.Conv2d(4, 4, kernel_size=3, dilation=2, groups=2)"


def test_the_window_is_dragged(new_tab, site):
    page = explorer_at(new_tab, site, "op=conv2d&input=1x7x7&kernel_size=3&stride=2&padding=1")
    cells = page.locator(".ex-input .ex-cell")  # 9 rows of 9, with the border
    drag(page, cells.nth(9 + 1), cells.nth(4 * 9 + 5))
    assert marked(page, "output", "made") == [[0, 2, 2]]  # 3 down and 4 across, stride 2
    assert len(marked(page, "input", "read")) == 9
    page.wait_for_url("**cell=0,2,2")


def test_a_picture_is_drawn_with_the_pointer(new_tab, site):
    page = explorer_at(new_tab, site, "op=conv2d&input=1x5x5&kernel_size=2&x=0&w=1,1,1,1&bias=0")
    page.get_by_label("draw on the input").check()
    cells = page.locator(".ex-input .ex-cell")
    drag(page, cells.nth(0), cells.nth(3))
    x = np.zeros((1, 1, 5, 5))
    x[0, 0, 0, :4] = 9
    assert numbers_of(page, "input") == x.ravel().tolist()
    y = ops.conv2d(x, np.ones((1, 1, 2, 2)))
    assert numbers_of(page, "output") == y.ravel().tolist()
    assert f"x={','.join(str(int(one)) for one in x.ravel())}" in page.url
    drag(page, cells.nth(1), cells.nth(2))  # what is drawn is rubbed out
    assert sum(numbers_of(page, "input")) == 18


@pytest.mark.parametrize("name", ["edge", "blur", "sharpen", "Sobel"])
def test_a_preset_is_a_kernel(new_tab, site, name):
    page = explorer_at(new_tab, site, "op=max_pool2d&input=1x6x6&kernel_size=2")
    page.get_by_role("button", name=name, exact=True).click()
    kernel = {"edge": [-1, -1, -1, -1, 8, -1, -1, -1, -1], "blur": [0.11] * 9,
              "sharpen": [0, -1, 0, -1, 5, -1, 0, -1, 0],
              "Sobel": [1, 0, -1, 2, 0, -2, 1, 0, -1]}[name]  # fmt: skip
    assert numbers_of(page, "kernel") == kernel
    assert page.locator(".explorer [name=op]").input_value() == "conv2d"
    assert f"w={name}" in page.url


def test_the_photograph_is_that_of_the_book(new_tab, site):
    photo = load_sample_image("china.jpg")[60:380, :320].mean(axis=2)
    grey = photo.reshape(16, 20, 16, 20).mean(axis=(1, 3))
    levels = (grey - grey.min()) / (grey.max() - grey.min()) * 9.99
    page = explorer_at(new_tab, site, "op=conv2d&kernel_size=3")
    page.get_by_role("button", name="photograph").click()
    assert numbers_of(page, "input") == np.floor(levels).ravel().tolist()
    assert page.get_by_label("as grey levels").is_checked()


def test_the_gradient_that_a_cell_gets_is_that_of_pytorch(new_tab, site):
    """The sentence at an input cell names the outputs and weights of its gradient."""
    dice = random.Random("gradient")
    page = explorer_at(new_tab, site)
    checked = 0
    while checked < 12:
        setting = random_setting(dice, dice.choice(["conv2d", "conv_transpose2d"]))
        setting |= {"input": [1, *setting["input"][1:]], "out_channels": 1, "groups": 1}
        case = expected(setting, dice)
        if case["y"] is None or min(np.shape(case["x"])[1:]) < 2 or len(setting["padding"]) == 4:
            continue
        words = "&".join(f"{name}={as_text(value)}" for name, value in setting.items())
        flags = words.replace("True", "1").replace("False", "0")
        numbers = {name: np.ravel(case[name]).astype(int).tolist() for name in ("x", "w")}
        lists = "&".join(f"{name}={','.join(map(str, of))}" for name, of in numbers.items())
        change_address(page, f"{flags}&{lists}")
        if page.locator(".ex-large").count():
            continue
        inside = page.locator(".ex-input .ex-cell:not(.ex-border)")
        width = setting["input"][2]
        row, column = dice.randrange(setting["input"][1]), dice.randrange(width)
        inside.nth(row * width + column).dispatch_event("pointerover", {"pointerType": "mouse"})
        text = page.locator(".ex-player .ex-sum").inner_text().replace("−", "-")
        if " more" in text:  # than nine terms: the rest is not written
            continue
        g = torch.tensor([[dice.randint(-5, 5) for _ in r] for r in case["y"][0]]).double()
        x = torch.tensor(case["x"]).double()[None].requires_grad_()
        layer = layer_of(setting).double()
        weights = torch.tensor(case["w"]).double()
        with torch.no_grad():
            next(p for p in layer.parameters() if p.dim() == 4).copy_(weights)
        layer(x)[0, 0].backward(g)
        terms = re.findall(r"\((\d+), (\d+)\) with weight (-?\d+)", text)
        got = sum(int(weight) * g[int(r), int(c)] for r, c, weight in terms)
        assert got == x.grad[0, 0, row, column], (setting, text)
        checked += 1


def test_a_network_of_the_list_is_the_known_one(new_tab, site):
    page = explorer_at(new_tab, site)
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


def test_a_stack_counts_as_convlab_does(new_tab, site):
    """Receptive fields and numbers of paths, at a cell that the arrow keys have chosen."""
    dice = random.Random("stack")
    page = explorer_at(new_tab, site)
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


def test_layers_are_added_and_removed(new_tab, site):
    page = explorer_at(new_tab, site, "op=conv2d&input=3x32x32&out_channels=8&kernel_size=3&bias=0")
    page.get_by_role("button", name="Add this layer").click()
    page.locator(".explorer [name=op]").select_option("max_pool2d")
    page.locator(".explorer [name=kernel_size]").fill("2")
    page.locator(".explorer [name=stride]").fill("")
    page.locator(".explorer [name=ceil_mode]").check()
    page.get_by_role("button", name="Add this layer").click()
    assert "layers=c:8:bias=0;m::2:ceil_mode=1" in page.url
    outputs = page.locator(".ex-network tbody td:nth-child(3)").all_inner_texts()
    assert outputs == ["8x30x30", "8x15x15"]
    again = explorer_at(new_tab, site, page.url.split("#")[1])
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


def test_the_groups_figure_counts_what_reaches_an_output(new_tab, site):
    page = explorer_at(new_tab, site, page="groups")
    figure = page.locator("conv-explorer")
    for groups, shuffled in itertools.product((1, 2, 3, 4, 6, 12), (False, True)):
        figure.locator("select").select_option(str(groups))
        figure.locator("input").set_checked(shuffled)
        layers = [nn.Conv2d(12, 12, 1, groups=groups, bias=False) for _ in range(2)]
        if shuffled:
            layers.insert(1, nn.ChannelShuffle(groups))
        x = torch.ones(1, 12, 1, 1, requires_grad=True)
        nn.Sequential(*layers)(x)[0, 0].backward()
        seen = int(torch.count_nonzero(x.grad))
        text = figure.locator("p").inner_text()
        assert f"sees {seen} of the 12 input channels" in text
        assert figure.locator(".ex-block").first.locator(".ex-read").count() == seen


def test_the_learning_rate_figure_descends_as_the_chapter_does(new_tab, site):
    page = explorer_at(new_tab, site, page="training")
    figure = page.locator("conv-explorer")
    for rate in (0.01, 0.1, 0.125, 0.24, 0.25, 0.3):
        figure.locator("input").fill(str(rate))
        w = 1.0
        for _ in range(8):
            w -= rate * 4 * (2 * w - 8)
        text = figure.locator("p").inner_text().replace("−", "-")
        assert f"by {1 - 8 * rate:g}:" in text
        assert f"w = {w:.2f}" in text


def test_the_border_figure_pads_as_convlab_does(new_tab, site):
    page = explorer_at(new_tab, site, page="padding")
    figure = page.locator("conv-explorer[data-tool=border]")
    for mode, amount in itertools.product(ops.PADDING_MODES, range(4)):
        figure.locator("select").select_option(mode)
        figure.locator("input").fill(str(amount))
        row = ops.pad2d(np.arange(1, 5).reshape(1, 1, 4), (0, amount), mode).ravel()
        assert figure.locator("p").inner_text().endswith(f": {' '.join(map(str, row))}")


def test_the_normalization_figure_counts_means(new_tab, site):
    page = explorer_at(new_tab, site, page="normalization")
    figure = page.locator("conv-explorer")
    for name in figure.locator("option").all_inner_texts():
        layer = eval(f"nn.{name}", {"nn": nn})
        x = torch.randn(3, 4, 3, 3, requires_grad=True)
        layer(x)[0, 0, 0, 1].backward()
        seen = x.grad.flatten(2).abs().amax(2) > 0  # (image, channel)
        figure.locator("select").select_option(name)
        cells = figure.locator(".ex-cell")
        drawn = cells.evaluate_all("all => all.map(c => c.classList.contains('ex-read'))")
        assert drawn == seen.ravel().tolist()
        numbers = set(cells.all_inner_texts())
        assert f"{len(numbers)} means" in figure.locator("p").inner_text()
        assert len(numbers) == 12 // int(seen.sum())


def test_play_moves_the_window_unless_motion_is_unwelcome(new_tab, site):
    page = explorer_at(new_tab, site, "op=conv2d&input=1x5x5&kernel_size=3")
    assert not page.locator(".ex-play").is_visible()  # these tabs ask for reduced motion
    page.get_by_role("button", name="Step").click()
    assert marked(page, "output", "made") == [[0, 0, 1]]
    page.emulate_media(reduced_motion="no-preference")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.ex-output .ex-made').place.key[1] === 1")
    page.get_by_role("button", name="Pause").click()
    page.emulate_media(reduced_motion="reduce")


def test_it_prints_as_a_picture(new_tab, site):
    page = explorer_at(new_tab, site, page="math")
    page.emulate_media(media="print")
    assert page.locator(".ex-input .ex-cell").first.is_visible()
    assert not page.locator(".ex-form").is_visible()
    assert not page.locator("conv-explorer button").first.is_visible()
    page.emulate_media(media="screen")


def test_a_finger_drags_the_window(browser, site):
    context = browser.new_context(
        viewport={"width": PHONE, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto((site / "book" / "math.html").as_uri())
    page.locator(".ex-input").evaluate("input => input.scrollIntoView({ block: 'center' })")
    centers = [page.locator(".ex-input .ex-cell").nth(place).bounding_box() for place in (6, 18)]
    points = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
              for box in centers]  # fmt: skip
    touch = context.new_cdp_session(page)
    for kind, at in (("touchStart", points[:1]), ("touchMove", points[1:]), ("touchEnd", [])):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    assert marked(page, "output", "made") == [[0, 2, 2]]
    context.close()


@pytest.mark.parametrize("name", [page for page in toc_pages() if has_explorer(page)])
def test_a_page_with_figures_loads_little_and_does_not_move(new_tab, site, name):
    tab = new_tab((site / name).as_uri())
    scripts = tab.page.locator("script[src*='explorer/']").evaluate_all(
        "all => all.map(s => s.src)"
    )
    names = [script.split("/")[-1] for script in scripts]
    served = [site / "_static" / "explorer" / name for name in names]
    assert sum(path.stat().st_size for path in served) < 60 * 1024
    assert tab.page.locator("conv-explorer").count() > 0
    assert all(not text for text in tab.page.locator(".ex-error").all_inner_texts())
    assert tab.page.locator("conv-explorer :is(.ex-read, canvas, [data-explorer])").count() > 0
    assert tab.page.evaluate("window.shifted") < 0.1
    assert not tab.faults
