"""Move the window, edit and draw numbers: by pointer, by keys, by touch."""

import random
import re

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from convlab import ops
from tests.book.explorer.reading import change_address, drag, marked, numbers_of, sentence
from tests.book.explorer.settings import as_text, expected, layer_of, random_setting
from tests.book.tab import PHONE

# Settings of all kinds are tried, those that PyTorch warns of included.
pytestmark = pytest.mark.filterwarnings("ignore:Initializing zero", "ignore:Using padding='same'")


def test_the_keyboard_moves_the_window_and_edits_numbers(explorer_at):
    x, w = np.arange(25.0).reshape(1, 5, 5) % 7, np.array([[[[1, 2], [3, 4.0]]]])
    numbers = ",".join(str(int(one)) for one in x.ravel()) + "&w=1,2,3,4"
    address = f"op=conv2d&input=1x5x5&kernel_size=2&bias=0&x={numbers}"
    page = explorer_at(address)
    y = ops.conv2d(x[None], w)[0, 0]
    page.locator('.ex-output [tabindex="0"]').focus()
    for row, column in [(0, 1), (0, 2), (1, 2), (2, 2), (2, 1)]:
        moved = page.evaluate("document.activeElement.place.key")
        key = {(0, 1): "ArrowRight", (1, 0): "ArrowDown", (0, -1): "ArrowLeft"}[
            (row - moved[1], column - moved[2])
        ]
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.place.key") == [0, row, column]
        assert f"row {row}, column {column}" in sentence(page)
        assert sentence(page).endswith(f"= {int(y[row, column])}")
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


def test_pointing_at_an_input_cell_shows_where_it_goes(explorer_at):
    address = "op=conv2d&input=1x5x5&kernel_size=3&stride=2&padding=1"
    page = explorer_at(address)
    page.locator(".ex-input .ex-cell:not(.ex-border)").nth(6).hover()  # row 1, column 1
    assert page.locator(".ex-output .ex-fed").count() == 4
    assert "goes into 4 outputs" in sentence(page)


ONES = "op=conv2d&input=1x5x5&kernel_size=3&bias=0&x=1&w=1"


def test_a_number_that_is_typed_is_kept_or_given_up(explorer_at):
    page = explorer_at(ONES)
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


def test_another_address_gives_up_a_number_that_is_being_typed(open_tab, site):
    tab = open_tab(f"{(site / 'book' / 'explorer.html').as_uri()}#{ONES}")
    for address in ("op=max_pool2d&input=1x3x3&kernel_size=2&x=5", "input=1x224x224", ONES):
        cell = tab.page.locator(".ex-input .ex-cell").last
        if cell.count():
            cell.focus()
            tab.page.keyboard.press("Enter")
            tab.page.keyboard.type("9")
        change_address(tab.page, address)
    assert numbers_of(tab.page, "input") == [1] * 25
    assert not tab.faults


def test_the_window_is_dragged(explorer_at):
    page = explorer_at("op=conv2d&input=1x7x7&kernel_size=3&stride=2&padding=1")
    cells = page.locator(".ex-input .ex-cell")  # 9 rows of 9, with the border
    drag(page, cells.nth(9 + 1), cells.nth(4 * 9 + 5))
    assert marked(page, "output", "made") == [[0, 2, 2]]  # 3 down and 4 across, stride 2
    assert len(marked(page, "input", "read")) == 9
    page.wait_for_url("**cell=0,2,2")


def test_a_picture_is_drawn_with_the_pointer(explorer_at):
    page = explorer_at("op=conv2d&input=1x5x5&kernel_size=2&x=0&w=1,1,1,1&bias=0")
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


KERNELS = {
    "edge": [-1, -1, -1, -1, 8, -1, -1, -1, -1],
    "blur": [0.11] * 9,
    "sharpen": [0, -1, 0, -1, 5, -1, 0, -1, 0],
    "Sobel": [1, 0, -1, 2, 0, -2, 1, 0, -1],
}


def test_a_preset_is_a_kernel(explorer_at):
    page = explorer_at()
    for name, kernel in KERNELS.items():
        change_address(page, "op=max_pool2d&input=1x6x6&kernel_size=2")
        page.get_by_role("button", name=name, exact=True).click()
        assert numbers_of(page, "kernel") == kernel
        assert page.locator(".explorer [name=op]").input_value() == "conv2d"
        assert f"w={name}" in page.url


def test_the_photograph_is_that_of_the_book(explorer_at):
    photo = load_sample_image("china.jpg")[60:380, :320].mean(axis=2)
    grey = photo.reshape(16, 20, 16, 20).mean(axis=(1, 3))
    levels = (grey - grey.min()) / (grey.max() - grey.min()) * 9.99
    page = explorer_at("op=conv2d&kernel_size=3")
    page.get_by_role("button", name="photograph").click()
    assert numbers_of(page, "input") == np.floor(levels).ravel().tolist()
    assert page.get_by_label("as grey levels").is_checked()


def test_the_gradient_that_a_cell_gets_is_that_of_pytorch(explorer_at):
    """The sentence at an input cell names the outputs and weights of its gradient."""
    dice = random.Random("gradient")
    page = explorer_at()
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
        text = sentence(page).replace("−", "-")
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


def test_play_moves_the_window_unless_motion_is_unwelcome(explorer_at):
    page = explorer_at("op=conv2d&input=1x5x5&kernel_size=3")
    assert not page.locator(".ex-play").is_visible()  # these tabs ask for reduced motion
    page.get_by_role("button", name="Step").click()
    assert marked(page, "output", "made") == [[0, 0, 1]]
    page.emulate_media(reduced_motion="no-preference")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.ex-output .ex-made').place.key[1] === 1")
    page.get_by_role("button", name="Pause").click()
    page.emulate_media(reduced_motion="reduce")


CENTER = "input => input.scrollIntoView({ block: 'center', behavior: 'instant' })"


@pytest.fixture(scope="module")
def phone_page(browser, site):
    """Give a function that opens a page on a phone, where a finger may move from cell to cell."""
    context = browser.new_context(
        viewport={"width": PHONE, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    touch = context.new_cdp_session(page)

    def load(name):
        page.goto("about:blank")
        page.goto(f"{(site / 'book').as_uri()}/{name}", wait_until="domcontentloaded")
        page.locator(".ex-input").evaluate(CENTER)
        return page

    def swipe(start, end):
        cells = page.locator(".ex-input .ex-cell")
        before, after = (cells.nth(place).bounding_box() for place in (start, end))
        for part in range(6):
            kind = "touchMove" if part else "touchStart"
            at = {x: before[x] + 12 + part / 5 * (after[x] - before[x]) for x in ("x", "y")}
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    yield load, swipe
    context.close()


def test_a_finger_drags_the_window(phone_page):
    load, swipe = phone_page
    page = load("math.html")
    before = page.evaluate("scrollY")
    swipe(6, 18)
    assert marked(page, "output", "made") == [[0, 2, 2]]
    assert page.evaluate("scrollY") == before


@pytest.mark.parametrize(
    "address",
    [
        "op=conv2d&input=1x30x30&kernel_size=20",  # a window as large as the screen
        "op=conv_transpose2d&input=1x10x10&kernel_size=9",  # whose window is not dragged
    ],
)
def test_where_a_finger_cannot_drag_it_scrolls(phone_page, address):
    load, swipe = phone_page
    page = load(f"explorer.html#{address}")
    outputs = page.locator(".ex-output .ex-cell")
    outputs.nth(outputs.count() // 2).tap()
    page.locator(".ex-input").evaluate(CENTER)
    before = page.evaluate("scrollY")
    column = page.locator(".ex-input .ex-cell").evaluate_all(
        """all => all.flatMap((cell, place) => cell.matches(".ex-read") ? [place] : []).filter(
          (place, _, [first]) => all[place].place.key[2] === all[first].place.key[2]
        )"""
    )
    swipe(column[-5], column[2])  # a button of the theme floats at the lower edge
    page.wait_for_function(f"scrollY < {before - 20} || scrollY > {before + 20}")


def test_a_grid_says_where_its_rows_and_columns_begin(explorer_at):
    """A screen reader counts them from 1, the sentences as PyTorch does, and the border below 0."""
    page = explorer_at("op=conv2d&input=1x4x5&kernel_size=3&padding=1,2,3,0")
    grids = page.locator("[role=grid]").evaluate_all(
        "all => all.map(grid => [grid.ariaLabel, grid.querySelector('.ex-cell').place.key])"
    )
    assert [label.split(",")[0] for label, _ in grids] == ["input", "kernel", "bias", "output"]
    assert grids[0] == ["input, 7 x 8, rows from −3, columns from −1", [0, -3, -1]]
    for label, (_, row, column) in grids[1:]:
        assert label.endswith(f", rows from {row}, columns from {column}")


@pytest.mark.parametrize("name", ["explorer", "math", "padding"])
def test_what_is_below_the_sentence_stays_where_it_is(explorer_at, name):
    page = explorer_at(name=name)
    lengths, tops = page.locator(".ex-player").first.evaluate(
        """player => {
          const [sum, caption] = [".ex-sum", ".ex-caption"].map(one => player.querySelector(one));
          const lengths = new Set(), tops = new Set();
          const over = new PointerEvent("pointerover", { bubbles: true, pointerType: "mouse" });
          for (const cell of player.querySelectorAll(":is(.ex-input, .ex-output) .ex-cell")) {
            cell.dispatchEvent(over);
            lengths.add(sum.textContent.length);
            tops.add(caption.getBoundingClientRect().top - sum.getBoundingClientRect().top);
          }
          return [[...lengths], [...tops]];
        }"""
    )
    assert max(lengths) > 2 * min(lengths)
    assert len(tops) == 1
