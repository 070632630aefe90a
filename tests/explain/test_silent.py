"""Warnings of mistakes that raise no error: where they come, and where they do not."""

import gc
import linecache
import warnings
import weakref

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torch.overrides import _get_current_function_mode_stack
from torch.utils.data import DataLoader, TensorDataset

from convlab.data import Dataset, load
from convlab.explain import MISTAKES, SilentMistakeWarning, explaining
from convlab.explain.book import section
from convlab.models.registry import MODELS
from convlab.training import TrainConfig, fit
from tests.explain.legitimate import CALLS

N = 8
X, Y, LABELS = torch.rand(N, 5), torch.rand(N), torch.arange(N)
IMAGES, MASKS = torch.rand(N, 3, 6, 6), torch.rand(N, 6, 6)
LINE, SCORES, CONV = nn.Linear(5, 1), nn.Linear(5, 10), nn.Conv2d(3, 1, 1)


def caught(call, **options):
    """Return the silent mistakes that a call is warned of."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        with explaining(**options):
            call()
    return [w for w in found if w.category is SilentMistakeWarning]


def batches_of_grey_images():
    layer = nn.Conv2d(3, 4, 3)
    for images, _ in DataLoader(TensorDataset(torch.rand(6, 9, 9), LABELS[:6]), batch_size=3):
        layer(images.float().div(255))


def rows_and_columns():
    model = nn.Conv2d(3, 3, 1)
    return (model(torch.rand(2, 3, 30, 1)) - torch.rand(2, 3, 1, 30)).abs().sum()


def rmse_in_several_lines():
    difference = LINE(X) - Y
    squared = difference * difference
    return torch.mean(squared).sqrt()


SOFTMAX, LOSS, MAPS = "softmax_before_cross_entropy", "target_broadcasts", "maps_broadcast"
MISTAKEN = [
    (lambda: F.cross_entropy(SCORES(X).softmax(1), LABELS), SOFTMAX, "log(1 + 9 / e) = 1.46"),
    (lambda: nn.CrossEntropyLoss()(nn.Softmax(dim=-1)(SCORES(X)), LABELS), SOFTMAX, "(8, 10)"),
    (lambda: F.cross_entropy(SCORES(X).softmax(1).double(), LABELS), SOFTMAX, "(8, 10)"),
    (lambda: F.cross_entropy(SCORES(X).t().softmax(0).t(), LABELS), SOFTMAX, "(8, 10)"),
    (
        lambda: F.cross_entropy(SCORES(X[None]).softmax(-1).view(-1, 10), LABELS),
        SOFTMAX,
        "(8, 10)",
    ),
    (
        lambda: F.cross_entropy(SCORES(X[None]).softmax(2).permute(0, 2, 1), LABELS[None]),
        SOFTMAX,
        "(1, 10, 8)",
    ),
    (lambda: F.cross_entropy(SCORES(X[0]).softmax(0), LABELS[0]), SOFTMAX, "(10,)"),
    (lambda: F.binary_cross_entropy_with_logits(LINE(X).sigmoid(), Y[:, None]), SOFTMAX, "log(2)"),
    (
        lambda: F.binary_cross_entropy_with_logits(LINE(X).sigmoid().squeeze(1), Y),
        SOFTMAX,
        "input: shape (8,), the output of a sigmoid",
    ),
    (
        lambda: F.binary_cross_entropy_with_logits(LINE(X).sigmoid().float()[:, 0].view(-1), Y),
        SOFTMAX,
        "log(2)",
    ),
    (lambda: F.mse_loss(LINE(X), Y), LOSS, "(8, 8): 64 differences, not 8"),
    (lambda: nn.L1Loss()(LINE(X).squeeze(1), Y.view(N, 1).clone()), LOSS, "(8, 8)"),
    (lambda: nn.SmoothL1Loss()(CONV(IMAGES), MASKS), LOSS, "(8, 8, 6, 6)"),
    (lambda: F.huber_loss(SCORES(X), torch.rand(10)), LOSS, "(8, 10): 80 differences, not 80"),
    (lambda: F.kl_div(LINE(X), Y, reduction="batchmean"), LOSS, "(8, 8)"),
    (lambda: F.poisson_nll_loss(input=LINE(X), target=Y), LOSS, "(8, 8)"),
    (lambda: F.gaussian_nll_loss(LINE(X), Y, torch.ones(N, 1)), LOSS, "(8, 8)"),
    (lambda: torch.mean((LINE(X) - Y) ** 2), MAPS, "(8, 8): 64 numbers, not 8"),
    (lambda: (Y - LINE(X)).abs().mean(), MAPS, "(8, 8)"),
    (
        lambda: torch.sub(Y[:, None].clone(), LINE(X).sigmoid().squeeze(1)).pow(2).sum(),
        MAPS,
        "",
    ),
    (lambda: (LINE(X)[:, 0] - torch.rand(N, 1)).square().mean(), MAPS, "(8, 8)"),
    (lambda: (X @ torch.rand(5, 1, requires_grad=True) - Y).square().mean(), MAPS, "(8, 8)"),
    (
        lambda: torch.sum((CONV(IMAGES).sigmoid() - MASKS) ** 2),
        MAPS,
        "2304 numbers, not 288",
    ),
    (rmse_in_several_lines, MAPS, "(8, 8)"),
    (rows_and_columns, MAPS, "(2, 3, 30, 30)"),
    (batches_of_grey_images, "batch_as_channels", "(3, 9, 9), 3 items"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("call", "name", "numbers"), MISTAKEN)
def test_a_silent_mistake(call, name, numbers):
    (warning,) = caught(call)
    text = str(warning.message)
    assert text.startswith(f"convlab: [{name}] {MISTAKES[name]}\n")
    assert numbers in text
    assert "\n  cure: " in text
    assert text.endswith(f"\n  book: {section(name)}")
    assert warning.filename == __file__
    assert warning.lineno in {line for *_, line in call.__code__.co_lines()}


def test_the_line_is_the_readers():
    def step(x):
        loss = nn.MSELoss()
        return loss(LINE(x), Y)

    (warning,) = caught(lambda: step(X))
    assert linecache.getline(__file__, warning.lineno).strip() == "return loss(LINE(x), Y)"


def test_a_cure_ends_the_warning():
    (warning,) = caught(lambda: (LINE(X) - Y).abs().mean())
    assert ".reshape((8, 1))" in str(warning.message)
    assert not caught(lambda: (LINE(X) - Y.reshape((8, 1))).abs().mean())


def test_a_difference_is_a_mistake_if_it_is_a_loss():
    assert not caught(lambda: LINE(X) - Y)
    assert not caught(lambda: torch.mean(LINE(X) - Y))
    assert not caught(lambda: (LINE(X) - Y).abs().mean(1))
    assert not caught(lambda: (LINE(X) - Y).abs().clamp(0, 1).mean())
    (warning,) = caught(rmse_in_several_lines)
    assert linecache.getline(__file__, warning.lineno).strip() == "difference = LINE(X) - Y"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_legitimate_code(name):
    assert not caught(CALLS[name])


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "swin_t", "shufflenet_v2_x0_5"])
def test_a_training_step_of_torchvision(name):
    model = torchvision.models.get_model(name, weights=None, num_classes=8)
    images = torch.rand(N, 3, 64, 64)

    def step():
        optimizer = torch.optim.AdamW(model.parameters())
        F.cross_entropy(model(images), LABELS).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            model(images).softmax(1)

    assert not caught(step)


@pytest.mark.parametrize("name", ["simple-cnn", "mnist-cnn", "lenet5", "vgg11-bn", "resnet50"])
def test_a_training_step_of_our_networks(name):
    entry = MODELS[name]
    channels, height, width = entry.input_shape
    model, images = entry.build(num_classes=8), torch.rand(2, channels, height, width)
    if height > 32:
        images = images[..., :64, :64]
    assert not caught(lambda: F.cross_entropy(model(images), LABELS[:2]).backward())


def test_a_training():
    whole = load("digits")
    images, labels = whole.train_images[:64], whole.train_labels[:64]
    data = Dataset("few", images, labels, images[:9], labels[:9], whole.class_names)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, stride=3), nn.Flatten(), nn.Linear(4 * 81, 10))
    config = TrainConfig(epochs=1, batch_size=16, crop=1, device="cpu")
    assert not caught(lambda: fit(model, data, config))


def test_a_place_is_warned_of_once():
    def steps():
        for size in (8, 8, 4):
            with explaining():
                (LINE(X[:size]) - Y[:size]).abs().mean()

    assert len(caught(steps)) == 1
    assert len(caught(steps)) == 1  # the filters are others


def test_filters_that_change_in_the_block_do_not_repeat_a_warning():
    def steps():
        for _ in range(3):
            with warnings.catch_warnings():
                warnings.simplefilter("always")
                (LINE(X) - Y).abs().mean()

    assert len(caught(steps)) == 1


def test_two_mistakes_in_one_line():
    found = caught(lambda: (F.mse_loss(LINE(X), Y), F.cross_entropy(SCORES(X).softmax(1), LABELS)))
    assert [str(w.message).split("]")[0] for w in found] == [
        f"convlab: [{LOSS}",
        f"convlab: [{SOFTMAX}",
    ]


def test_an_error_in_place_of_a_warning():
    with pytest.raises(SilentMistakeWarning) as error, explaining():  # pytest makes it one
        (LINE(X) - Y).abs().mean()
    assert not hasattr(error.value, "__notes__")


def test_the_switch():
    assert not caught(lambda: (LINE(X) - Y).abs().mean(), warn=False)


def test_without_autograd_a_prediction_is_not_recognized():
    def evaluate():
        with torch.no_grad():
            (LINE(X) - Y).abs().mean()

    assert not caught(evaluate)


def test_nothing_is_kept_alive():
    with explaining():
        (watch,) = map(weakref.ref, _get_current_function_mode_stack())
        images, labels = torch.rand(3, 9, 9), torch.arange(3)
        batch = next(iter(DataLoader(TensorDataset(images, labels), batch_size=3)))[0]
        scores = SCORES(X).softmax(1)
        with pytest.warns(SilentMistakeWarning):
            F.cross_entropy(scores, LABELS)
        difference = LINE(X) - Y
        squared = difference**2
        tensors = [weakref.ref(x) for x in (batch, scores, difference, squared)]
        del batch, scores, difference, squared
        gc.collect()
        assert [tensor() for tensor in tensors] == [None] * 4
    assert watch() is None
