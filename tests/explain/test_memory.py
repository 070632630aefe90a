"""After an error is caught, nothing keeps the inputs and the model alive."""

import gc
import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convlab.explain import explain, explaining
from tests.explain.corpus import ResidualNet, UNet


class Reads(nn.Module):
    """A module whose code raises an error of its own, or reads a value."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        if self.conv(x).sum() < 9**9:
            raise MemoryError("out of memory")
        return x


class NotCopied(Reads):
    def __deepcopy__(self, memo):
        raise KeyError("no copies")


def full_memory():
    raise RuntimeError("out of memory")


class FullMemory(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        x = self.conv(x)
        if x.device.type != "meta":
            full_memory()
        return x


RGB, LABELS = (2, 3, 32, 32), torch.arange(5)
CASES = {
    "channels": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(16, 8, 3)), RGB, torch.float),
    "a chain of fixes": (lambda: UNet(16), RGB, torch.float),
    "skip connection": (lambda: ResidualNet(padding=0), RGB, torch.float),
    "dtype": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3)), RGB, torch.double),
    "error of its own": (FullMemory, RGB, torch.float),
    "reads a value": (Reads, RGB, torch.float),
    "not copied": (NotCopied, RGB, torch.float),
    "too small": (lambda: nn.Sequential(nn.MaxPool2d(5), nn.MaxPool2d(9)), RGB, torch.float),
    "loss": (nn.CrossEntropyLoss, RGB, torch.float),
    "function": (nn.Module, RGB, torch.float),
}


def call(name, model, x):
    if name == "loss":
        model(x, LABELS)
    elif name == "function":
        F.cross_entropy(x, LABELS)
    else:
        model(x)


@pytest.fixture
def _without_collection():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_without_collection")
@pytest.mark.parametrize("warn", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_of_a_module_and_its_input(name, warn):
    build, shape, dtype = CASES[name]
    model, x = build(), torch.rand(shape, dtype=dtype)
    known = [weakref.ref(x), weakref.ref(model), *map(weakref.ref, model.parameters())]
    notes = None
    try:
        with explaining(model, warn=warn):
            call(name, model, x)
    except Exception as error:
        notes = error.__notes__
    del x, model
    assert notes
    assert [one() for one in known] == [None] * len(known)


@pytest.mark.usefixtures("_without_collection")
@pytest.mark.parametrize("warn", [True, False])
def test_of_the_operands_of_an_operator(warn):
    a, b = torch.rand(2, 3), torch.rand(2, 4)
    known = [weakref.ref(a), weakref.ref(b)]
    notes = None
    try:
        with explaining(warn=warn):
            a + b
    except RuntimeError as error:
        notes = getattr(error, "__notes__", [])
    del a, b
    assert [one() for one in known] == [None, None]
    assert notes is not None


@pytest.mark.usefixtures("_without_collection")
@pytest.mark.parametrize("name", CASES)
def test_of_an_explanation(name):
    build, shape, dtype = CASES[name]
    model, x = build(), torch.rand(shape, dtype=dtype)
    known = [weakref.ref(x), weakref.ref(model), *map(weakref.ref, model.parameters())]
    explain(model, x, *[LABELS] * (name == "loss"))
    del x, model
    assert [one() for one in known] == [None] * len(known)


def test_a_dictionary_of_local_variables_stays_as_it_is():
    a, b = torch.rand(2, 3), torch.rand(2, 4)
    names = locals()
    with pytest.raises(RuntimeError), explaining():
        a + b
    assert names["a"] is a


def while_another_is_handled(error, model):
    try:
        raise error
    except ZeroDivisionError:
        with explaining(model):
            model(torch.rand(RGB))


def test_tracebacks_stay_as_they_are():
    first = ZeroDivisionError()
    with pytest.raises(RuntimeError) as caught:
        while_another_is_handled(first, FullMemory())
    assert caught.value.__context__ is first
    assert first.__traceback__.tb_frame.f_code.co_name == "while_another_is_handled"
    assert caught.traceback[-1].name == "full_memory"


def test_an_error_that_the_copy_raises_as_well():
    error, model = RuntimeError("mine"), FullMemory()
    model.conv.forward = lambda x: (_ for _ in ()).throw(error)
    with pytest.raises(RuntimeError) as caught, explaining(model):
        model(torch.rand(RGB))
    assert caught.value is error
    assert not any("convlab" in str(entry.path) for entry in caught.traceback)
