"""`%load_ext convlab` in a kernel of Jupyter, and in a shell of IPython."""

import re
import subprocess
import sys

import pytest
from jupyter_client.manager import start_new_kernel

pytestmark = pytest.mark.slow

SETUP = """
import torch
from torch import nn
torch.manual_seed(0)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(16, 8, 3)

    def forward(self, x):
        return self.second(self.first(x))

def call(size):
    return Net()(
        torch.ones(1, 3,
                   size, size),
    )
"""
NOTE = "convlab: [channels] second (Conv2d): "


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def run(kernel):
    """Return a function that runs a cell, and returns the texts of its streams and its error."""

    def run(code):
        texts = []

        def keep(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                texts.append(content["text"])
            elif message["msg_type"] == "error":
                texts.append("\n".join(content["traceback"]))
            elif message["msg_type"] == "execute_result":
                texts.append(content["data"]["text/plain"])

        kernel.execute_interactive(code, output_hook=keep, timeout=120)
        return re.sub(r"\x1b\[[\d;]*m", "", "".join(texts))

    assert run("%reload_ext convlab") == ""
    run(SETUP)
    yield run
    run("%unload_ext convlab\n%xmode Context")


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose", "Minimal"])
def test_the_traceback_has_the_note(run, mode):
    run(f"%xmode {mode}")
    text = run("call(9)")
    assert text.count(NOTE) == 1
    assert text.index("RuntimeError") < text.index(NOTE)
    assert "last layer that worked: first, output (1, 8, 7, 7)" in text
    assert "watch.py" not in text


@pytest.mark.parametrize(
    "cell",
    [
        "x = 1\nfor _ in range(2):\n    call(\n        9,\n    )",
        "%%time\ncall(9)",
        "import asyncio\nawait asyncio.sleep(0)\ncall(9)",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    call(9)",
    ],
)
def test_cells_of_all_kinds(run, cell):
    assert run(cell).count(NOTE) == 1


def test_code_of_a_cell_outside_modules(run):
    text = run("a, b = torch.ones(2, 3), torch.ones(2, 4)\n(\n    a\n    + b\n)")
    assert "convlab: [skip_connection_shapes] add: " in text


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no groups of exceptions")
def test_a_group(run):
    cell = "try:\n    call(9)\nexcept RuntimeError as e:\n    raise ExceptionGroup('all', [e])"
    assert f"    | {NOTE}" in run(cell)


def test_a_silent_mistake_is_warned_of_in_each_run_of_a_cell(run):
    run("line, x, y = nn.Linear(5, 1), torch.rand(8, 5), torch.rand(8)")
    cell = "for _ in range(3):\n    loss = ((line(x) - y) ** 2).mean()"
    for _ in range(2):
        text = run(cell)
        assert text.count("SilentMistakeWarning: convlab: [maps_broadcast]") == 1
        assert "loss = ((line(x) - y) ** 2).mean()" in text


def test_other_errors_are_shown_as_before(run):
    for cell in ("1 / 0", "def (", "raise KeyboardInterrupt", "import sys; sys.exit(1)"):
        text = run(cell)
        assert text
        assert "convlab" not in text


def test_unloading_leaves_all_as_it_was(run):
    state = (
        "from torch.overrides import _get_current_function_mode_stack as stack\n"
        "s = get_ipython()\n"
        "'showtraceback' in vars(s), len(stack()), "
        "[len(s.events.callbacks[n]) for n in ('pre_run_cell', 'post_run_cell')], "
        "s.custom_exceptions"
    )
    run("%unload_ext convlab")
    before = run(state)
    assert before.startswith("(False, 0, ")
    run("%load_ext convlab")
    assert run(state).startswith("(True, 1, ")
    assert run("import convlab\nconvlab.load_ipython_extension(get_ipython())") == ""
    assert run("call(9)").count(NOTE) == 1
    run("%unload_ext convlab")
    assert run(state) == before
    assert NOTE not in run("call(9)")
    assert run("%unload_ext convlab") + run("%load_ext convlab") + run("%load_ext convlab")


def test_beside_another_extension(run):
    other = (
        "def other(shell, etype, value, tb, tb_offset=None):\n"
        "    print('other:', etype.__name__)\n"
        "    shell.showtraceback((etype, value, tb), tb_offset=tb_offset)\n"
        "get_ipython().set_custom_exc((RuntimeError,), other)"
    )
    run(other)
    text = run("call(9)")
    assert "other: RuntimeError" in text
    assert text.count(NOTE) == 1
    run("get_ipython().set_custom_exc((), None)")
    run(
        "s = get_ipython()\nold = s.showtraceback\n"
        "def loud(*args, **kwargs):\n    print('loud')\n    old(*args, **kwargs)\n"
        "s.showtraceback = loud"
    )
    run("%unload_ext convlab")
    text = run("call(9)")
    assert text.startswith("loud")
    assert NOTE not in text
    run("del s.showtraceback")


def test_a_shell_without_pytorch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell().run_line_magic('load_ext', 'convlab')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == (
        "ModuleNotFoundError: convlab.explain needs PyTorch, which is not installed: "
        'pip install "convlab-book[torch]"'
    )
