"""`explaining` beside what else changes the calls of PyTorch, and beside unusual exceptions."""

import asyncio
import builtins
import contextlib
import os
import pickle
import subprocess
import sys
import threading
import traceback
import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.explain import SilentMistakeWarning, explaining
from tests.explain.corpus import ResidualNet, UNet

ROOT = Path(__file__).parents[2]
WRONG = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3))
IMAGES = torch.rand(2, 3, 8, 8)
LINE, X, Y = nn.Linear(5, 1), torch.rand(8, 5), torch.rand(8)


@pytest.fixture(autouse=True)
def nothing_stays():
    """Check that no mode stays on the stack."""
    before = _get_current_function_mode_stack()
    yield
    assert _get_current_function_mode_stack() == before
    torch.compiler.reset()


def explained(call, error=Exception):
    """Return the exception that a call raises in a block."""
    with pytest.raises(error) as caught, explaining():
        call()
    return caught.value


def first_line(error):
    (note,) = error.__notes__
    return note.splitlines()[0]


def mistakes(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        with explaining():
            call()
    return [w for w in found if w.category is SilentMistakeWarning]


def frames(error):
    """Return the functions in a traceback, from the first one below this file's `call`."""
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    return names[names.index("<lambda>") :]


@pytest.mark.parametrize(
    "call",
    [
        lambda: WRONG(IMAGES),
        lambda: IMAGES + torch.ones(7),
        lambda: 1 - IMAGES.nothing,
        lambda: F.cross_entropy(torch.ones(4, 3), torch.zeros(5).long()),
        lambda: nn.MSELoss()(torch.ones(4), torch.ones(3)),
        lambda: F.max_pool2d(IMAGES, 9),
        lambda: nn.Linear(3, 4.0),
        lambda: torch.cat([IMAGES, torch.ones(2)]),
        lambda: "text" - IMAGES,
        lambda: F.adaptive_max_pool2d(IMAGES, (1, 2, 3)),
        lambda: UNet(16)(torch.rand(1, 3, 32, 32)),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_the_traceback_is_that_of_the_code_without_the_block(call):
    with pytest.raises(Exception) as without:  # noqa: PT011  (any error will do)
        call()
    error = explained(call)
    assert frames(error) == frames(without.value)
    assert str(error) == str(without.value)
    assert type(error) is type(without.value)


def test_the_warnings_of_pytorch_keep_their_lines():
    def two():
        F.softmax(X)
        F.softmax(X)

    def lines(call):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("default")
            call()
        return [(w.filename, w.lineno) for w in found]

    def inside():
        with explaining():
            two()

    assert lines(two) == lines(inside)
    assert len(lines(two)) == 2


def test_autocast():
    def call():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            F.mse_loss(LINE(X).float(), torch.rand(8, 1))
            WRONG(IMAGES)

    assert first_line(explained(call)).startswith("convlab: [channels] 1 (Conv2d)")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (warning,) = mistakes(lambda: (LINE(X) - Y).abs().mean())
    assert "maps_broadcast" in str(warning.message)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
def test_torch_compile(backend):
    model = torch.compile(ResidualNet(), backend=backend, fullgraph=True)
    outside = model(IMAGES)
    with explaining(model):
        assert torch.allclose(model(IMAGES), outside, atol=1e-5)
        assert torch.allclose(model(IMAGES), outside, atol=1e-5)
    wrong = torch.compile(UNet(16), backend=backend)
    line = first_line(explained(lambda: wrong(torch.rand(1, 3, 32, 32))))
    assert line.startswith("convlab: [channels] out (Conv2d): ")


@pytest.mark.slow
def test_the_watch_is_not_compiled():
    from torch._dynamo.testing import CompileCounter

    def parts(x):
        y = x * 2
        torch._dynamo.graph_break()
        return torch.relu(y) - y

    counter = CompileCounter()
    compiled = torch.compile(parts, backend=counter)
    compiled(X)
    assert counter.frame_count == 2
    for _ in range(3):
        with explaining():
            compiled(X)
    # Once more with the mode, and no function of the watch.
    assert counter.frame_count == 4
    compiled(X)
    assert counter.frame_count == 4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning")
def test_export_and_traces():
    model = ResidualNet().eval()
    with torch.no_grad():
        expected = model(IMAGES)
        plain = torch.jit.trace(model, IMAGES)
        with explaining():
            traced = torch.jit.trace(model, IMAGES)
            exported = torch.export.export(model, (IMAGES,)).module()
            symbolic = torch.fx.symbolic_trace(model)
        kinds = [[node.kind() for node in net.inlined_graph.nodes()] for net in (plain, traced)]
        assert kinds[0] == kinds[1]
        for other in (traced, exported, symbolic):
            assert torch.allclose(other(IMAGES), expected, atol=1e-5)


def test_transforms_of_functions():
    model = ResidualNet().eval()
    with explaining():
        rows = torch.func.vmap(lambda x: LINE(x) - x.mean())(X)
        torch.func.vmap(lambda image: model(image[None]))(IMAGES)
        weights = dict(LINE.named_parameters())
        slope = torch.func.grad(lambda w: torch.func.functional_call(LINE, w, X).sum())(weights)
    assert rows.shape == (8, 1)
    assert torch.allclose(slope["weight"], X.sum(0, keepdim=True))
    error = explained(lambda: torch.func.vmap(WRONG)(IMAGES))
    assert first_line(error).startswith(("convlab: [unknown] 1 (Conv2d)", "convlab: [channels] 1"))


def test_data_parallel():
    error = explained(lambda: nn.DataParallel(UNet(16))(torch.rand(1, 3, 32, 32)))
    assert first_line(error).startswith("convlab: [channels] out (Conv2d): ")


DDP = """
import sys, torch, torch.distributed as dist, torch.multiprocessing as mp
import torch.nn.functional as F
from torch import nn
from convlab.explain import explaining
from tests.explain.corpus import ResidualNet, UNet

def work(rank, size, path):
    dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=size)
    model = nn.parallel.DistributedDataParallel(ResidualNet())
    wrong = nn.parallel.DistributedDataParallel(UNet(16))
    images = torch.rand(2, 3, 32, 32)
    with explaining(model):
        F.cross_entropy(model(images), torch.tensor([1, 2])).backward()
    try:
        with explaining(wrong):
            wrong(images)
    except RuntimeError as error:
        note = error.__notes__[0].splitlines()[0]
        assert note.startswith("convlab: [channels] out (Conv2d): "), note
    else:
        raise AssertionError("no error")
    dist.destroy_process_group()

if __name__ == "__main__":
    size = int(sys.argv[1])
    mp.spawn(work, (size, sys.argv[2]), nprocs=size)
    print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2])
def test_distributed_data_parallel(size, tmp_path):
    script = tmp_path / "ddp.py"
    script.write_text(DDP)
    command = [sys.executable, str(script), str(size), str(tmp_path / "store")]
    paths = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=os.environ | paths, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")  # others print, too


def test_workers_of_a_loader():
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.rand(6, 3, 9, 9), torch.arange(6))
    with explaining():
        labels = [y for _, y in DataLoader(data, batch_size=2, num_workers=1)]
    assert torch.cat(labels).tolist() == [*range(6)]


def test_threads_have_their_own_blocks():
    found = []
    with explaining():
        thread = threading.Thread(target=lambda: found.append(_get_current_function_mode_stack()))
        thread.start()
        thread.join()
        assert len(_get_current_function_mode_stack()) == 1
    assert found == [[]]


def test_nested_blocks_warn_once():
    def call():
        with explaining(), explaining(warn=False), explaining():
            (LINE(X) - Y).abs().mean()
        (LINE(X) - Y).abs().mean()  # the outer block is still open

    assert len(mistakes(call)) == 2
    assert len(explained(lambda: explained(lambda: WRONG(IMAGES)) and WRONG(IMAGES)).__notes__) == 1


class Logger(TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.calls.append(func)
        return func(*args, **(kwargs or {}))


def test_other_modes_see_the_same_calls():
    def call():
        F.cross_entropy(X.sigmoid() - 1, torch.zeros(8).long())
        (X - Y[:, None]) * LINE(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ((LINE(X) - Y) ** 2).mean()

    with Logger() as alone:
        call()
    with Logger() as outer, explaining():
        call()
    with explaining(), Logger() as inner:
        call()
    assert outer.calls == alone.calls
    assert inner.calls == alone.calls


class Operations(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.filterwarnings("ignore")
def test_no_operation_is_added():
    model, labels = ResidualNet(), torch.tensor([1, 2])

    def step():
        for parameter in (*model.parameters(), *LINE.parameters()):
            parameter.grad = None
        F.cross_entropy(model(IMAGES).softmax(1), labels).backward()
        ((LINE(X) - Y) ** 2).mean().backward()
        F.mse_loss(LINE(X), Y).backward()

    with Operations() as alone:
        step()
    with Operations() as watched:
        assert len(mistakes(step)) == 3
    assert watched.names == alone.names
    assert len(alone.names) > 50


def test_devices_as_contexts():
    with explaining(), torch.device("meta"):
        assert torch.ones(2).device.type == "meta"
    with torch.device("meta"), explaining():
        assert torch.ones(2).device.type == "meta"
    assert torch.ones(2).device.type == "cpu"
    with explaining():
        torch.set_default_device("meta")
    assert torch.ones(2).device.type == "meta"
    torch.set_default_device(None)


def test_generators_leave_in_another_order():
    def blocks():
        with explaining():
            yield 1
            yield 2

    first, second = blocks(), blocks()
    next(first)
    next(second)
    with Logger() as logger:
        first.close()
        assert logger in _get_current_function_mode_stack()
        second.close()
        assert _get_current_function_mode_stack() == [logger]


def test_coroutines():
    async def work(wrong):
        with explaining():
            await asyncio.sleep(0)
            WRONG[wrong](IMAGES)
            await asyncio.sleep(0)

    async def both():
        return await asyncio.gather(work(0), work(1), work(1), return_exceptions=True)

    fine, *errors = asyncio.run(both())
    assert fine is None
    assert all(first_line(error).startswith("convlab: [channels]") for error in errors)


@pytest.mark.parametrize("cls", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_not_an_error_goes_on_untouched(cls):
    error = cls("mine")
    model = ResidualNet()
    model.fc.forward = lambda x: (_ for _ in ()).throw(error)
    caught = explained(lambda: model(IMAGES), cls)
    assert caught is error
    assert not hasattr(caught, "__notes__")


class Slots(Exception):
    __slots__ = ("code",)


class ReadOnlyNotes(Exception):
    __notes__ = property(lambda self: ())

    def __setattr__(self, name, value):
        raise AttributeError(name)


class FailingNotes(Exception):
    @property
    def __notes__(self):
        raise ValueError("no notes")


class HostileNotes(Exception):
    __notes__ = 3


@pytest.mark.parametrize("cls", [Slots, ReadOnlyNotes, FailingNotes, HostileNotes])
def test_unusual_exceptions_go_on(cls):
    error = cls("mine")
    model = ResidualNet()
    model.fc.forward = lambda x: (_ for _ in ()).throw(error)
    assert explained(lambda: model(IMAGES)) is error
    assert error.args == ("mine",)


def test_a_note_survives_pickling():
    error = explained(lambda: WRONG(IMAGES))
    copy = pickle.loads(pickle.dumps(error))
    assert copy.__notes__ == error.__notes__
    assert copy.args == error.args


@pytest.mark.skipif(sys.version_info < (3, 11), reason="no groups of exceptions")
def test_each_error_of_a_group_has_its_note():
    def call():
        errors = []
        for layer in WRONG:
            try:
                layer(IMAGES)
                layer(IMAGES[:, :2])
            except RuntimeError as error:
                errors.append(error)
        raise builtins.ExceptionGroup("both", [*errors, KeyError("other")])

    group = explained(call)
    assert not hasattr(group, "__notes__")
    first, second, other = group.exceptions
    assert "2 != 3" in first.__notes__[0]
    assert "3 != 5" in second.__notes__[0]
    assert not hasattr(other, "__notes__")


def test_an_error_of_a_rule_is_not_raised(monkeypatch):
    from convlab.explain import silent

    def broken(call):
        raise ZeroDivisionError

    monkeypatch.setitem(silent.RULES, F.mse_loss, broken)
    with explaining():
        assert F.mse_loss(X, X) == 0


def test_a_missing_stack_of_modes(monkeypatch):
    monkeypatch.delattr(torch.overrides, "_get_current_function_mode_stack")
    with contextlib.suppress(KeyError), explaining():
        raise KeyError("mine")
    assert first_line(explained(lambda: WRONG(IMAGES))).startswith("convlab: [channels]")
    monkeypatch.undo()
