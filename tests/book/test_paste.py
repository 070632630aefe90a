"""Paste errors into the field of the page of errors: which entry it finds, and what it says."""

import json
import os
import random
import re

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe

from convlab.explain import CAUSES, explaining
from convlab.results import FILES
from tests.book import mistakes, pasted
from tests.book.book_files import ROOT
from tests.book.tab import PHONE, Tab
from tests.explain.corpus import CASES, build
from tests.explain.test_random import good_layer

ROUNDS = {"few": 2, "sample": 8, "full": 60}[os.environ.get("CONVLAB_EXAMPLES", "sample")]
PAGE = "book/errors.html"
# Their messages are not in the catalogue.
NOT_IN_CATALOGUE = {"attention"}


@pytest.fixture(scope="module")
def tab(browser, site):
    """Open the page of errors once, as a file."""
    tab = Tab(browser)
    tab.open((site / PAGE).as_uri())
    yield tab
    tab.close()


@pytest.fixture
def page(tab):
    """Give the page with an empty field; nothing may fail in it, or be asked of another host."""
    field_of(tab.page).fill("")
    tab.page.wait_for_function("!document.querySelector('.pe-answer').childElementCount")
    yield tab.page
    assert not tab.faults


def answers(page, texts):
    """Return what the field finds in texts."""
    return page.evaluate("texts => texts.map((text) => Errors.match.answer(text))", texts)


def entries(answer):
    """List the entries of an answer, the likeliest first."""
    return [one["entry"] for one in answer["found"]["entries"]] if answer["found"] else []


def told(answer):
    """Return what is said of the first entry, as one text."""
    first = answer["found"]["entries"][0]
    return " ".join([*first.get("says", []), *first.get("cures", [])]).replace("`", "")


def field_of(page):
    return page.get_by_label("Paste your error", exact=True)


def paste(page, text):
    """Put a text into the field, and wait until it is answered."""
    field_of(page).fill(text)
    page.wait_for_function("document.querySelector('paste-error [role=status]').textContent")


def notebook():
    """Read the page of errors: a list of (source, output) of its code cells."""
    cells = json.loads((ROOT / "book" / "errors.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            texts = ["".join(one.get("text", "")) for one in cell["outputs"]]
            yield "".join(cell["source"]), "".join(texts)


def stored_messages():
    """List (entry, text) of the outputs of the page: what torch says, what it said, the note."""
    old = json.loads((FILES / "messages" / "torch-2.4.json").read_text(encoding="utf-8"))
    for source, output in notebook():
        for name in re.findall(r'caught\("([\w-]+)"\)', source):
            entry = f"error-{name}"
            yield entry, output
            yield entry, re.split(r"^In torch 2\.4: |^convlab: ", output, flags=re.M)[0]
            if text := old["messages"].get(name):  # none where 2.4 raised no error
                yield entry, text


def test_every_message_of_the_page_finds_its_entry(page):
    messages = list(stored_messages())
    assert len({entry for entry, _ in messages}) > 80
    found = answers(page, [text for _, text in messages])
    wrong = [
        (entry, entries(answer), text)
        for (entry, text), answer in zip(messages, found, strict=True)
        if entries(answer)[:1] != [entry]
    ]
    assert not wrong


def test_the_entries_are_those_of_the_page(page):
    causes = page.evaluate("Errors.causes")
    assert causes.keys() == {entry for entry, _ in stored_messages()}
    assert causes.keys() == set(
        page.evaluate(
            "names => names.filter((name) => document.getElementById(name)?.closest('section'))",
            list(causes),
        )
    )
    assert set(causes.values()) == set(CAUSES)


def test_a_warning_of_convlab_is_an_entry(page):
    """Of a mistake that raises no error."""
    silent = page.evaluate("Errors.silent")
    texts = [
        f"/home/me/train.py:7: SilentMistakeWarning: convlab: [{name}] what is wrong\n"
        f"  input: shape (4, 10)\n  cure: do without it\n  book: errors.html#{entry}\n  loss(x)\n"
        for name, entry in silent.items()
    ]
    for answer, entry in zip(answers(page, texts), silent.values(), strict=True):
        assert entries(answer) == [entry]
        assert told(answer) == "what is wrong input: shape (4, 10). do without it"
        assert page.locator(f"section:has(#{entry}), section#{entry}").count()


@pytest.fixture(scope="module")
def corpus():
    """Raise the corpus of failures: (name, cause, layer, traceback, traceback with a note)."""
    rows = []
    for name, (_, _, cause, layer) in CASES.items():
        if not name.startswith("densenet"):  # these take seconds, and say nothing else
            model, inputs = build(name)
            error = pasted.error_of(lambda call=model, given=inputs: call(*given))
            plain = pasted.traceback_of(error)
            with pytest.raises(type(error)) as caught, explaining(model):
                model(*inputs)
            rows.append((name, cause, layer, plain, pasted.traceback_of(caught.value)))
    return rows


def test_a_cause_of_the_corpus_is_found_or_none(page, corpus):
    """Where several entries print the same, that of the cause is among them."""
    causes = page.evaluate("Errors.causes")
    answered = answers(page, [text for _, _, _, text, _ in corpus])
    for (name, cause, *_), answer in zip(corpus, answered, strict=True):
        found = [causes[entry] for entry in entries(answer)]
        assert (cause in found) or (not found and name in NOT_IN_CATALOGUE), (name, found)
        assert answer["frame"]["file"].endswith("corpus.py") or "test" in answer["frame"]["file"]


def test_a_note_of_convlab_decides(page, corpus):
    """It names the layer and the cause, also where the message alone leaves several."""
    causes = page.evaluate("Errors.causes")
    answered = answers(page, [text for *_, text in corpus])
    for (name, cause, layer, *_), answer in zip(corpus, answered, strict=True):
        assert {causes[entry] for entry in entries(answer)} == {cause}, name
        assert (answer["note"]["cause"], answer["note"]["layer"]) == (cause, layer)
        assert answer["note"]["steps"]
        assert answer["found"].get("related", False) == (name in NOT_IN_CATALOGUE)


def test_the_one_fault_of_a_chain_of_layers_is_among_the_reasons(page):
    """Where the message alone may leave several; the first of them is right in most."""
    causes = page.evaluate("Errors.causes")
    dice, faults = random.Random("chains"), []
    for _ in range(40 * ROUNDS):
        x = torch.ones(2, dice.choice([1, 2, 5]), *dice.choices([8, 9, 12], k=2))
        _, broken = good_layer(dice, x.shape[1], x.shape[2:])
        cause, layer = dice.choice(list(broken.items()))
        faults.append((cause, pasted.error_of(lambda call=layer, given=x: call(given))))
    answered = answers(page, [pasted.traceback_of(error) for _, error in faults])
    found = [[causes[entry] for entry in entries(answer)] for answer in answered]
    for (cause, error), reasons in zip(faults, found, strict=True):
        # What some processors say of an empty output names nothing that a reader knows.
        assert cause in reasons or "memory descriptor" in str(error), error
    firsts = [reasons[:1] == [cause] for (cause, _), reasons in zip(faults, found, strict=True)]
    assert sum(firsts) > 0.7 * len(firsts)


def test_the_numbers_are_those_of_the_call(page):
    failures = list(pasted.random_failures(ROUNDS))
    answered = answers(page, [pasted.traceback_of(error) for error, _, _ in failures])
    for (error, entry, numbers), answer in zip(failures, answered, strict=True):
        assert entries(answer)[:1] == [entry], error
        text = told(answer)
        assert [number for number in numbers if number not in text] == [], (str(error), text)


def test_a_mistake_is_told_from_others_with_its_message(page):
    """By its numbers or its line; where they do not decide, several reasons are listed."""
    cases = list(mistakes.texts())
    answered = answers(page, [traceback for _, _, traceback, *_ in cases])
    for (name, _, _, expected, said, unsaid), answer in zip(cases, answered, strict=True):
        assert entries(answer) == expected, name
        text = told(answer)
        assert [words for words in said if words not in text] == [], (name, text)
        assert [words for words in unsaid if words in text] == [], (name, text)
    alone = answers(page, [message for _, message, *_ in cases])
    for (name, _, _, expected, *_), answer in zip(cases, alone, strict=True):
        assert set(expected) <= set(entries(answer)), name


def test_a_message_of_another_machine_or_version_is_found(page):
    answered = answers(page, list(mistakes.ELSEWHERE))
    for (text, (entry, said)), answer in zip(mistakes.ELSEWHERE.items(), answered, strict=True):
        assert entries(answer)[0] == entry, text
        assert said in told(answer), (text, told(answer))


def test_a_section_of_another_chapter_is_linked(page, site):
    for anchor, (chapter, title) in page.evaluate("Errors.elsewhere").items():
        assert f'id="{anchor}"' in (site / "book" / f"{chapter}.html").read_text(encoding="utf-8")
        assert title
    paste(page, "RuntimeError: grad can be implicitly created only for scalar outputs")
    link = page.locator(".pe-answer a")
    assert link.get_attribute("href") == "gradients.html#wrong-backward-scalar"
    paste(page, "TypeError: pic should be PIL Image or ndarray. Got <class 'int'>")
    page.get_by_text("takes an image of PIL or an array, and got int.").wait_for()
    assert link.count() == 0


def failing_tests():
    """Print three failing tests as pytest does; the first has two errors in a chain."""
    errors = {"test_grey": pasted.grey_image()}
    for name in ("an accuracy", "a kernel of 0"):
        errors[f"test_{name[-1]}"] = pasted.error_of(mistakes.MISTAKES[name][0])
    shown = pasted.in_pytest("long")
    return "\n".join(f"____ {name} ____\n{shown(error)}" for name, error in errors.items())


@pytest.mark.parametrize(
    "text",
    [
        failing_tests,
        lambda: "\n".join(traceback for _, _, traceback, *_ in mistakes.texts())[-90_000:],
        lambda: "\n".join(message for _, message, *_ in mistakes.texts()),
    ],
)
def test_of_several_errors_the_last_is_answered_and_all_are_listed(page, text):
    pasted_text = text()
    [answer] = answers(page, [pasted_text])
    count = len(answer["others"]) + 1
    assert count >= 3
    for other in answer["others"]:
        kind, message = other["text"].split(": ", 1)
        assert kind in pasted_text
        assert message[:20] in pasted_text
    [last] = answers(page, [answer["others"][-1]["text"]])
    assert answer["others"][-1]["entry"] in entries(last)  # its line may decide among several
    paste(page, pasted_text)
    page.get_by_text(f"{count} errors found; this is the last.").wait_for()
    assert page.locator(".pe-others li").count() == min(count - 1, 20)


@pytest.mark.parametrize("way", pasted.WAYS)
def test_an_error_is_read_however_it_is_printed(page, way):
    error = pasted.grey_image()
    line = error.__traceback__.tb_next.tb_lineno
    [answer] = answers(page, [pasted.WAYS[way](error)])
    assert entries(answer) == ["error-channels"]
    assert answer["others"] == []
    assert "takes 3 channels; the input (8, 1, 224, 224) has 1" in told(answer)
    assert answer["found"]["entries"][0]["explorer"]["address"] == (
        "op=conv2d&input=1x224x224&out_channels=64&kernel_size=7"
    )
    if not way.startswith(("the message", "its last line")):
        assert answer["frame"]["file"].endswith("tests/book/pasted.py")
        assert "layer(torch.zeros(8, 1, 224, 224))" in answer["frame"]["code"]
        assert answer["frame"]["line"] == str(line)


def test_an_error_of_a_worker_or_of_a_compiled_model_is_read(page):
    worker, compiled = pasted.in_worker(), pasted.compiled()
    found = answers(page, [pasted.traceback_of(error) for error in (worker, compiled)])
    assert [entries(answer) for answer in found] == [["error-channels"], ["error-channels"]]
    assert found[0]["others"] == found[1]["others"] == []
    assert "the input (1, 1, 9, 9) has 1" in told(found[0])
    assert found[0]["frame"]["name"] == "__getitem__"
    assert "the input (8, 1, 224, 224) has 1" in told(found[1])


def test_an_error_with_symbols_as_sizes_has_all_entries_and_no_numbers(page):
    error = pasted.compiled(dynamic=True)
    assert re.search(r"expected input\[s\d+, 1, s\d+, s\d+\]", str(error))
    (found,) = answers(page, [pasted.traceback_of(error)])
    assert entries(found)[0] == "error-channels"
    assert "error-channels-last" in entries(found)
    assert not any(entry.get("says") for entry in found["found"]["entries"])


FRAMES = {  # the line of the reader, as programs name it that are not installed here
    "Cell In[3], line 5, in Net.forward(self, x)\n      3 def forward(self, x):\n"
    "----> 5     return self.conv(x)\n": ("In[3]", "5", "Net.forward", "return self.conv(x)"),
    "<ipython-input-7-ab12> in forward(self, x)\n      1 def forward(self, x):\n"
    "----> 2     return self.conv(x)\n": ("<ipython-input-7-ab12>", "2", "forward",
                                           "return self.conv(x)"),
    "Input In [3], in <cell line: 1>()\n----> 1 net(x)\n":
        ("In [3]", "1", "<cell line: 1>", "net(x)"),
    '  File "C:\\Users\\me\\net.py", line 8, in forward\n    return self.conv(x)\n'
    '  File "C:\\Python311\\Lib\\runpy.py", line 3, in run\n    exec(code)\n':
        ("C:\\Users\\me\\net.py", "8", "forward", "return self.conv(x)"),
    '  File "/home/me/torch/net.py", line 8, in forward\n    return self.conv(x)\n'
    '  File "/opt/conda/lib/python3.10/site-packages/torch/nn/modules/conv.py", line 3, in f\n'
    '    g(x)\n'
    '  File "<string>", line 1, in <module>\n':
        ("/home/me/torch/net.py", "8", "forward", "return self.conv(x)"),
}  # fmt: skip


def test_the_line_of_the_reader_is_named(page):
    message = "RuntimeError: running_mean should contain 3 elements not 16"
    texts = [f"Traceback (most recent call last):\n{frames}{message}" for frames in FRAMES]
    for answer, expected in zip(answers(page, texts), FRAMES.values(), strict=True):
        assert entries(answer) == ["error-norm-channels"]
        assert tuple(answer["frame"][key] for key in ("file", "line", "name", "code")) == expected


def test_of_a_chain_the_last_error_counts(page):
    def unknown():
        try:
            raise pasted.grey_image()
        except RuntimeError as error:
            raise SystemError("step 3 failed") from error

    first, second = pasted.grey_image(), "ValueError: expected 4D input (got 3D input)"
    between = "During handling of the above exception, another exception occurred:"
    frames = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    g()'
    both = f"{pasted.traceback_of(first)}\n{between}\n\n{frames}\n{second}"
    earlier, last = answers(page, [pasted.traceback_of(pasted.error_of(unknown)), both])
    assert entries(earlier) == ["error-channels"]
    assert earlier["last"]["type"] == "SystemError"
    assert earlier["others"] == last["others"] == []
    assert entries(last) == ["error-norm-axes"]
    assert last["last"] is None
    paste(page, pasted.traceback_of(pasted.error_of(unknown)))
    shown = page.locator(".pe-answer").inner_text()
    assert "The last error is not in the catalogue: SystemError: step 3 failed" in shown


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("to have 3 channels, but got 1 channels instead", "error-channels"),
        ("shapes cannot be multiplied (2x8", "error-linear-features"),
        ("Kernel size can't be greater than actual", "error-kernel"),
        ("should be at most half of effective", "error-pool-padding"),
        ("Expected more than 1 value per channel when training", "error-norm-single"),
        ("mat1 and mat2 shapes", "error-linear-features"),
        ("The size of tensor a (8) must match", "error-skip"),
        ("size mismatch, m1: [4 x 2048], m2:", "error-linear-features"),
        ("Expected 4-dimensional input for 4-dimensional weight", "error-conv-axes"),
        ("Kernel size can't greater than actual input size", "error-kernel"),
        ("running_mean should contain s50 elements not 16", "error-norm-channels"),
        ("Calculated padded input size per channel: (s69 x s87). Kernel size: (7 x 7). Kernel size "
         "can't be greater than actual input size", "error-kernel"),
    ],
)  # fmt: skip
def test_a_part_of_a_message_is_found(page, part, expected):
    if "actual" in part and part.endswith("actual"):
        part += " input size"
    [answer] = answers(page, [part])
    assert entries(answer)[0] == expected


UNKNOWN = [
    "no error at all",
    "KeyError: 'width'",
    "RuntimeError: NCCL error: unhandled system error",
    "ValueError: not enough values to unpack (expected 4, got 3)",
    "Given groups, expected input to have channels",
    "TypeError: Net.__init__() missing 1 required positional argument: 'width'",
    "The expanded size of the tensor (5) must match the existing size (4) at non-singleton "
    "dimension 1.  Target sizes: [3, 5].  Tensor sizes: [3, 4]",
]


def test_an_unknown_error_is_not_in_the_catalogue(page):
    assert [entries(answer) for answer in answers(page, UNKNOWN)] == [[]] * len(UNKNOWN)
    paste(page, UNKNOWN[1])
    status = page.locator("paste-error [role=status]")
    assert status.inner_text() == "KeyError: this error is not in the catalogue."
    assert "with explaining(model):" in page.locator(".pe-answer").inner_text()
    field_of(page).fill("")
    page.wait_for_function("!document.querySelector('.pe-answer').childElementCount")
    assert status.text_content() == ""


def test_what_is_pasted_is_never_html(page):
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b>bold</b>'
    marks = "\u202e\u200b\0\x07"
    for text in (
        f"ValueError: {evil}",
        f'Traceback (most recent call last):\n  File "{evil}", line 3, in {evil}\n    {evil}\n'
        f"ValueError: expected 4D input (got 3D input)\nconvlab: [{evil}] a: b",
        "convlab: [channels] " + evil.replace(":", "") + " (Conv2d): b\n  " + evil,
        f"module 'torch.nn' has no attribute '{evil}'\nInvalid padding string '{evil}', should be",
        f"RuntimeError{marks}: running_mean should contain {marks}3 elements not 16{evil}",
        'Error(s) in loading state_dict for A: Missing key(s) in state_dict: "<b>x</b>", "y".',
    ):
        before = page.evaluate("document.querySelectorAll('*').length")
        paste(page, text)
        inside = page.locator("paste-error").locator("img, script, b, iframe, style, object, svg")
        assert inside.count() == 0
        assert page.evaluate("window.hacked") is None
        field_of(page).fill("")
        page.wait_for_function("!document.querySelector('.pe-answer').childElementCount")
        assert page.evaluate("document.querySelectorAll('*').length") <= before + 1
    [answer] = answers(
        page, ["RuntimeError: run\u200bning_mean should contain 3\0 elements not 16"]
    )
    assert entries(answer) == ["error-norm-channels"]


BOMBS = [
    *(
        "a",
        "<",
        "<a ",
        "\x1b[",
        "\x1b]",
        "\0",
        "\n",
        "\r",
        " ",
        "a.",
        "_",
        "| ",
        '"',
        "&amp;",
        "[1;",
    ),
    *("1x", "1, ", "9", "E   ", "> ", "got (", "invalid types: (", "expected input[", "-----> 3 "),
    *("Traceback (most recent call last):\n", "RuntimeError: ", "RuntimeError: x\n", '  File "'),
    *('  File "a.py", line 3, in f\n    x\n', '\\n  File \\"', "convlab: [a] "),
    *("Given groups=1, weight of size [1, 1, 1, ", 'Missing key(s) in state_dict: "a", '),
]


@pytest.mark.parametrize(
    "tail", ["", "!", "\nRuntimeError: running_mean should contain 3 elements not 16"]
)
def test_a_text_made_to_jam_is_answered(page, tail):
    """Playwright gives up after 30 seconds; none of these takes one."""
    script = """([bombs, tail]) => bombs.map((bomb) => {
      const text = bomb.repeat(5e6 / bomb.length) + tail;
      return Errors.match.answer(text).found?.entries[0].entry ?? "";
    })"""
    found = page.evaluate(script, [BOMBS, tail])
    if tail.startswith("\n"):
        assert set(found) == {"error-norm-channels"}


def test_five_megabytes_are_pasted(browser, address):
    """The field keeps the end of them, so that the browser need not lay them all out."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    page.evaluate(
        """() => navigator.clipboard.writeText("epoch 1: loss 0.3 and so on\\n".repeat(190000)
          + "ValueError: expected 4D input (got 3D input)\\n")"""
    )
    field_of(page).focus()
    page.keyboard.press("Control+V")
    page.get_by_text("The layer takes 4 axes, and the input has 3.").wait_for()
    assert len(field_of(page).input_value()) == 100_000
    assert page.locator(".pe-cut").inner_text().startswith("Of 5,320,045 characters, the last")
    page.keyboard.type("!")
    assert field_of(page).input_value().endswith("!")
    context.close()


# Change the address of a page that is open, and wait until its scripts have heard of it.
OPEN = """address => new Promise((done) => {
  addEventListener("hashchange", () => setTimeout(done), { once: true });
  location.hash = address;
})"""


def test_a_link_opens_the_explorer_at_the_setting_of_the_error(page, browser, site):
    """It shows the very message, or, where its layer always fits, the layer with the cure."""
    failures = list(pasted.random_failures(1))
    answered = answers(page, [str(error) for error, _, _ in failures])
    other = browser.new_page()
    other.goto((site / "book" / "explorer.html").as_uri())
    checked = {}
    for (error, entry, _), answer in zip(failures, answered, strict=True):
        link = answer["found"]["entries"][0].get("explorer")
        if link is None or link["address"] in checked.values():
            continue
        other.evaluate(OPEN, link["address"])
        shown = other.locator('[data-explorer="error"]').inner_text()
        message = str(error)
        if entry == "error-reflect":  # the explorer has one image
            message, shown = (re.sub(r"input \[\d+", "input [N", text) for text in (message, shown))
        assert shown == (message if link["same"] else ""), link
        assert link["same"] or other.locator('[data-explorer="output-shape"]').inner_text()
        checked[entry] = link["address"]
    other.close()
    assert len(checked) >= 10


def test_the_keyboard_alone_leads_to_the_entry(page):
    field_of(page).focus()
    page.keyboard.insert_text(str(pasted.grey_image()))
    status = page.locator("paste-error [role=status]")
    status.get_by_text("The layer takes 3 channels").wait_for()
    names = []
    for _ in range(4):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.textContent"))
    assert names[:2] == ["Show an example", "Clear"]
    assert names[3] == "The corrected layer in the explorer"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#error-channels")
    heading = page.evaluate("document.activeElement.innerText")
    assert heading.startswith(names[2])
    assert page.evaluate("document.activeElement.localName").startswith("h")
    top = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert 0 <= top < 900


def test_the_example_is_found_and_the_field_cleared(page):
    page.get_by_role("button", name="Show an example").click()
    status = page.locator("paste-error [role=status]")
    assert status.inner_text() == "The layer takes 3 channels; the input (8, 1, 224, 224) has 1."
    assert "/home/me/net.py, line 12, in forward" in page.locator(".pe-place").inner_text()
    page.get_by_role("button", name="Clear").click()
    assert field_of(page).input_value() == status.text_content() == ""


MANY = "mat1 and mat2 shapes cannot be multiplied (160x5 and 400x10)"


@pytest.mark.parametrize(("theme", "text"), [("light", MANY), ("dark", MANY), ("dark", UNKNOWN[0])])
def test_axe_finds_no_barrier_in_an_answer(page, tab, theme, text):
    """The test of all pages tries this one without an answer."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function(f"document.documentElement.dataset.theme === '{theme}'")
    paste(page, text)
    page.evaluate(Axe().axe_script)
    found = page.evaluate("axe.run('paste-error').then((found) => found.violations)")
    assert [(one["id"], one["nodes"]) for one in found] == []
    page.emulate_media(color_scheme="light")
    tab.faults.clear()  # axe-core asks for files that do not exist


def test_an_answer_fits_a_phone(browser, site):
    phone = Tab(browser, PHONE)
    phone.open((site / PAGE).as_uri())
    for text in (MANY, "x" * 3000, f"{'y' * 900}Error: {'z' * 900}", UNKNOWN[0]):
        paste(phone.page, text)
        assert phone.page.evaluate("document.scrollingElement.scrollWidth") <= PHONE
    sizes = phone.page.locator("paste-error button").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44
    assert not phone.faults
    phone.close()


def test_it_is_not_printed(page):
    page.emulate_media(media="print")
    assert not page.locator("paste-error").is_visible()
    page.emulate_media(media="screen")


def test_its_scripts_are_small(page, site):
    scripts = page.locator("script[src*='errors/']").evaluate_all("all => all.map(s => s.src)")
    served = [site / "_static" / "errors" / script.split("/")[-1] for script in scripts]
    assert len(served) == 6
    assert sum(path.stat().st_size for path in served) < 96 * 1024
