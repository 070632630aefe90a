"""Notes on errors of ordinary code: the same exception, and nothing else changes."""

import sys
import threading
import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from convlab.explain import cases, explain, explaining
from convlab.explain.cases import Case
from tests.explain.corpus import CASES, NETWORKS, PLAIN, ResidualNet, UNet, build


def note_of(call, model=None):
    """Return the note on the error that a call raises."""
    with pytest.raises(Exception) as caught, explaining(model):  # noqa: PT011
        call()
    notes = getattr(caught.value, "__notes__", [])
    assert len(notes) <= 1
    return notes[0] if notes else None


LARGE = ["resnet-inner", "mobilenet-depthwise", "resnet-shortcut"]


@pytest.mark.parametrize("name", [*PLAIN, *NETWORKS, *LARGE])
def test_the_note_names_the_cause_and_the_layer(name):
    _, _, cause, layer = CASES[name]
    model, inputs = build(name)
    first = note_of(lambda: model(*inputs)).splitlines()[0]
    where = f"{layer} ({type(model.get_submodule(layer)).__name__})" if layer else ""
    assert first.startswith(f"convlab: [{cause}] {where or type(model).__name__}: ")


def test_the_exception_is_the_same():
    error = RuntimeError("mine")
    model = ResidualNet()
    model.fc.forward = lambda x: (_ for _ in ()).throw(error)
    with pytest.raises(RuntimeError) as caught, explaining():
        model(torch.ones(2, 3, 8, 8))
    assert caught.value is error
    assert error.args == ("mine",)
    assert error.__context__ is None
    (note,) = error.__notes__
    assert note.splitlines() == [
        "convlab: [unknown] fc (Linear): not recognized",
        "  argument: shape (2, 8), float32",
        "  book: errors.html#error-unknown",
    ]


def test_a_note_of_several_lines():
    model = ResidualNet(padding=0)
    assert note_of(lambda: model(torch.ones(2, 3, 8, 8))).splitlines() == [
        "convlab: [skip_connection_shapes] blocks.1 (Residual): the shapes of two terms do not "
        "broadcast",
        "  add: shapes (2, 8, 8, 8) and (2, 8, 6, 6)",
        "  axis 3: 8 != 6",
        "  last layer that worked: blocks.1.conv2, output (2, 8, 6, 6)",
        "  fix: blocks.1.conv1: padding that keeps the size",
        "  book: errors.html#error-skip-connection-shapes",
    ]


def test_paths_in_a_larger_model():
    model = nn.ModuleDict({"net": ResidualNet(padding=0)})
    note = note_of(lambda: model["net"](torch.ones(2, 3, 8, 8)), model)
    assert note.startswith("convlab: [skip_connection_shapes] net.blocks.1 (Residual)")
    assert "last layer that worked: net.blocks.1.conv2" in note


def test_nested_blocks_add_one_note():
    with explaining():
        assert "[channels]" in note_of(lambda: nn.Conv2d(3, 4, 3)(torch.ones(1, 2, 5, 5)))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError, StopIteration])
def test_errors_without_a_module_have_no_note(error):
    with pytest.raises(error) as caught, explaining():
        raise error
    assert not hasattr(caught.value, "__notes__")


def test_nothing_happens_where_nothing_fails():
    model = ResidualNet()
    with explaining(model) as context:
        assert model(torch.ones(2, 3, 8, 8)).shape == (2, 10)
        assert not any(module._forward_hooks for module in model.modules())
    assert context.model is model


def test_an_error_of_the_explanation_is_not_raised():
    class Hostile(nn.Module):
        def __deepcopy__(self, memo):
            raise KeyError("no copies")

        def named_modules(self, *args, **kwargs):
            raise ArithmeticError("no names")

        def forward(self, x):
            raise ValueError("first")

    with pytest.raises(ValueError, match="first"), explaining():
        Hostile()(torch.ones(1))


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"groups": 3}, "groups_do_not_divide"),
        ({"padding": "same", "stride": 2}, "same_with_stride"),
        ({"dilation": 1.5, "groups": 2.0}, "not_an_integer"),
    ],
)
def test_errors_of_constructors(options, cause):
    note = note_of(lambda: nn.Conv2d(6, 8, 3, **options))
    assert note.startswith(f"convlab: [{cause}] Conv2d: ")


def test_a_state_dict_that_does_not_fit():
    model = nn.Sequential(nn.Linear(3, 2))
    values = {f"module.{key}": value for key, value in model.state_dict().items()}
    note = note_of(lambda: model.load_state_dict(values))
    assert note.startswith("convlab: [state_dict_mismatch] Sequential")
    assert "without its prefix 'module.', every key fits" in note
    note = note_of(lambda: model.load_state_dict(nn.Sequential(nn.Linear(4, 2)).state_dict()))
    assert "0.weight: shape (2, 4), in the model (2, 3)" in note


def test_a_loss_that_is_a_function():
    note = note_of(lambda: F.cross_entropy(torch.ones(4, 10), torch.zeros(5).long()))
    assert note.startswith("convlab: [target_shape] cross_entropy: ")
    note = note_of(lambda: F.cross_entropy(torch.ones(4, 10), torch.full((4,), 12)))
    assert note.startswith("convlab: [target_range] cross_entropy: ")


def test_an_error_in_the_backward_pass_has_no_wrong_note():
    x = torch.ones(2, requires_grad=True)
    assert note_of((x * 2).backward) is None


def test_a_failing_call_under_autocast():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3))

    def call():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            model(torch.ones(1, 3, 8, 8))

    assert note_of(call).startswith("convlab: [channels] 1 (Conv2d)")


def test_an_image_in_half_precision_under_autocast():
    def call():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3))(torch.ones(1, 3, 8, 8).half())

    assert not note_of(call).startswith("convlab: [dtype_mismatch]")


def test_a_keyword_argument_and_a_size():
    model = nn.ConvTranspose2d(3, 8, 3, stride=2)
    x = torch.ones(1, 3, 4, 4)
    for call in (lambda: model(x, [20, 20]), lambda: model(x, output_size=[20, 20])):
        assert note_of(call).startswith("convlab: [transposed_size] ConvTranspose2d")


class Clock:
    """Time that passes whenever it is asked for."""

    def __init__(self, step):
        self.time, self.step = 0.0, step

    def __call__(self):
        self.time += self.step
        return self.time


def test_the_search_for_fixes_ends(monkeypatch):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3), nn.Conv2d(6, 4, 3))
    x = torch.ones(1, 3, 9, 9)
    runs, run = [], Case.run
    monkeypatch.setattr(Case, "run", lambda case, steps: runs.append(steps) or run(case, steps))

    def search(step):
        monkeypatch.setattr(cases, "thread_time", Clock(step))
        runs.clear()
        return note_of(lambda: model(x)), explain(model, x).fixes

    note, fixes = search(0)
    assert "  fix: 1: in_channels=4; then 2: in_channels=4" in note
    assert fixes[0].text == "1: in_channels=4; then 2: in_channels=4"
    most = len(runs)
    note, fixes = search(0.2)
    assert note.startswith("convlab: [channels] 1 (Conv2d): ")
    assert "  fix: " not in note
    assert fixes[0].text == "1: in_channels=4; then 2: in_channels=4"
    assert 4 < len(runs) < most
    _, fixes = search(6)
    assert fixes == ()
    assert runs == [[], []]


def test_threads():
    notes, filters = [], list(warnings.filters)
    model = UNet(16)

    def work():
        notes.append(note_of(lambda: model(torch.ones(1, 3, 32, 32)), model))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes) == 4
    assert all(note.startswith("convlab: [channels] out (Conv2d): ") for note in notes)
    assert list(warnings.filters) == filters


def test_the_state_of_the_model_and_of_the_generators():
    model = ResidualNet(padding=0)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    mean = model.blocks[0].bn1.running_mean
    generator = torch.get_rng_state()
    assert note_of(lambda: model(torch.ones(2, 3, 8, 8)))
    assert torch.equal(torch.get_rng_state(), generator)
    assert model.blocks[0].bn1.running_mean is mean
    # The failing call itself updated the statistics once, and the explanation did not.
    assert model.blocks[0].bn1.num_batches_tracked == state["blocks.0.bn1.num_batches_tracked"] + 1


A, B = torch.ones(2, 3, 8, 8), torch.ones(2, 3, 8, 7)
WEIGHT = torch.ones(4, 5, 3, 3)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tracebacks without positions")
@pytest.mark.parametrize(
    ("call", "cause", "name"),
    [
        (lambda: A + B, "skip_connection_shapes", "add"),
        (lambda: torch.cat([A, B], dim=1), "concat_shapes", "cat"),
        (lambda: F.conv2d(A, WEIGHT, padding=(1, 1)), "channels", "conv2d"),
        (
            lambda: F.conv2d(
                A,
                WEIGHT,
            ),
            "channels",
            "conv2d",
        ),
        (lambda: F.linear(A, WEIGHT[0, 0]), None, ""),  # an operand that would be computed
        (lambda: F.max_pool2d(A, 9), "kernel_larger_than_input", "max_pool2d"),
        (lambda: A.view(2, -5), None, ""),
    ],
)
def test_functions_outside_modules(call, cause, name):
    note = note_of(call)
    if cause is None:
        assert note is None
    else:
        assert note.startswith(f"convlab: [{cause}] {name}: ")


def test_torch_compile():
    model = torch.compile(UNet(16), backend="eager")
    note = note_of(lambda: model(torch.ones(1, 3, 32, 32)))
    assert note.startswith("convlab: [channels] out (Conv2d): ")


def test_a_compiled_method():
    class Compiled(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = UNet(16)

        @torch.compile(backend="eager")
        def forward(self, x):
            return self.net(x)

    model = Compiled()
    note = note_of(lambda: model(torch.ones(1, 3, 32, 32)))
    assert note.startswith("convlab: [channels] net.out (Conv2d): ")
