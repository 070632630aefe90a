"""Tests of `predict`, `evaluate` and `confusion_matrix`."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.data.dataset import mean_and_std
from convlab.training import Evaluation, confusion_matrix, evaluate, predict
from convlab.training.distributed import DistributedContext
from convlab.training.evaluation import evaluate_distributed


def logits_as_images(count, classes, seed=0):
    chance = np.random.default_rng(seed)
    images = chance.normal(size=(count, classes, 1, 1)).astype(np.float32)
    return images, chance.integers(0, classes, count)


@pytest.mark.parametrize("batch_size", [1, 4, 7, 23, 1000])
def test_loss_and_accuracy_are_means_over_images(batch_size):
    images, labels = logits_as_images(23, 5)
    found = evaluate(nn.Flatten(), images, labels, batch_size=batch_size)
    outputs = images[:, :, 0, 0].astype(np.float64)
    shares = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    assert found.loss == pytest.approx(-np.log(shares[np.arange(23), labels]).mean(), rel=1e-5)
    assert found.correct == (outputs.argmax(1) == labels).sum()
    assert (found.count, found.accuracy) == (23, found.correct / 23)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_shares_of_several_processes_are_every_image_once(size, monkeypatch):
    images, labels = logits_as_images(23, 5)
    seen = []
    monkeypatch.setattr(
        DistributedContext, "all_reduce", lambda self, values, _: seen.append(values) or values
    )
    for rank in range(size):
        evaluate_distributed(nn.Flatten(), images, labels, DistributedContext(rank, size))
    whole = evaluate(nn.Flatten(), images, labels)
    loss, correct, count = sum(seen[:-1]).tolist()
    assert (correct, count) == (whole.correct, 23)
    assert loss / count == pytest.approx(whole.loss)


def test_a_process_without_any_image_takes_part(monkeypatch):
    monkeypatch.setattr(DistributedContext, "all_reduce", lambda self, values, _: values + 1)
    images, labels = logits_as_images(2, 5)
    context = DistributedContext(2, 3)
    assert evaluate_distributed(nn.Flatten(), images, labels, context).count == 1


def test_the_loop_of_the_documents_counts_an_image_of_a_short_batch_twice():
    images, labels = logits_as_images(3, 5)
    right = evaluate(nn.Flatten(), images, labels).loss
    batches = [evaluate(nn.Flatten(), images[p], labels[p]).loss for p in (slice(2), slice(2, 3))]
    assert right == pytest.approx((2 * batches[0] + batches[1]) / 3)
    assert right != pytest.approx(sum(batches) / 2)


def test_layers_are_in_eval_mode_and_then_as_they_were(device):
    frozen = nn.BatchNorm2d(3).eval()
    model = nn.Sequential(nn.BatchNorm2d(3), frozen, nn.Dropout(0.9), nn.Flatten()).to(device)
    images = np.random.default_rng(0).normal(size=(8, 3, 2, 2)).astype(np.float32)
    first, again = predict(model, images), predict(model, images[:3])
    torch.testing.assert_close(first[:3], again)  # an answer does not depend on the other images
    assert [layer.training for layer in model] == [True, False, True, True]
    assert int(model[0].num_batches_tracked) == 0
    assert not first.requires_grad
    assert first.device.type == "cpu"


def test_bytes_are_normalized_as_in_training():
    pixels = np.array([[[[0, 255]]]], np.uint8)
    found = predict(nn.Flatten(), pixels, mean=[0.5], std=[0.25])
    torch.testing.assert_close(found, torch.tensor([[-2.0, 2.0]]))
    with pytest.raises(ValueError, match="uint8 images need the data set's mean"):
        predict(nn.Flatten(), pixels)
    with pytest.raises(ValueError, match="mean and std are for uint8 images only"):
        predict(nn.Flatten(), pixels.astype(np.float32), mean=[0.5], std=[0.5])


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (np.zeros((2, 3)), [0, 1], ValueError, r"images must be \(N, C, H, W\)"),
        (np.zeros((0, 3, 1, 1)), [], ValueError, "no images to evaluate"),
        (np.zeros((2, 3, 1, 1)), [0], ValueError, "2 images need 2 labels, got 1"),
        (np.zeros((2, 3, 1, 1), np.int64), [0, 1], TypeError, "uint8 or floating point"),
        (np.zeros((2, 3, 1, 1)), [0, 3], ValueError, "has 3 outputs .* the labels go up to 3"),
        (np.zeros((2, 3, 1, 1)), [0, -1], ValueError, "labels must be at least 0, got -1"),
        (np.zeros((2, 3, 1, 1)), [0, -100], ValueError, "labels must be at least 0, got -100"),
        (np.zeros((1, 3, 1, 1)), np.array([2**63], "u8"), ValueError, r"be below 2\*\*63, got 9"),
        (np.zeros((2, 3, 1, 1)), [0.0, 1.0], TypeError, "labels must be integers, got float64"),
        (np.zeros((2, 3, 1, 1)), [True, False], TypeError, "labels must be integers, got bool"),
        (np.zeros((2, 3, 1, 1)), ["a", "b"], TypeError, "labels must be integers, got <U1"),
    ],
)
def test_invalid_images_and_labels(images, labels, error, message):
    with pytest.raises(error, match=message):
        evaluate(nn.Flatten(), images, labels)


class Answers(torch.nn.Module):
    def __init__(self, way):
        super().__init__()
        self.way = way

    def forward(self, x):
        return self.way(x.flatten(1))


@pytest.mark.parametrize("ask", [evaluate, lambda model, images, labels: predict(model, images)])
@pytest.mark.parametrize(
    ("way", "error", "message"),
    [
        (lambda y: (y, y), TypeError, "the model must return one Tensor, got tuple"),
        (lambda y: y[:1], ValueError, r"one row for each of 2 images, got \(1, 3\)"),
        (lambda y: y.sum(), ValueError, r"one row for each of 2 images, got \(\)"),
        (lambda y: y.argmax(1), TypeError, "must return floating-point values, got torch.int64"),
    ],
)
def test_outputs_that_are_not_rows_of_numbers(ask, way, error, message):
    with pytest.raises(error, match=message):
        ask(Answers(way), np.zeros((2, 3, 1, 1), np.float32), [0, 1])


def test_a_model_that_is_not_a_module():
    for ask in (evaluate, lambda model, images, _: predict(model, images)):
        with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module, got function"):
            ask(lambda x: x, np.zeros((2, 3, 1, 1), np.float32), [0, 1])


def test_predictions_may_have_any_shape_evaluations_not():
    images = np.zeros((2, 3, 4, 5), np.float32)
    assert predict(nn.Identity(), images).shape == (2, 3, 4, 5)
    with pytest.raises(ValueError, match=r"must return logits \(N, classes\), here \(2, 2\), got"):
        evaluate(nn.Identity(), images, [0, 1])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_images_get_the_type_of_the_weights(dtype):
    model = nn.Sequential(nn.Flatten(), nn.Linear(3, 4)).to(dtype)
    for images in (np.ones((2, 3, 1, 1), np.float64), torch.ones(2, 3, 1, 1)):
        assert predict(model, images).dtype == (dtype if dtype == torch.float64 else torch.float32)
        assert evaluate(model, images, [0, 1]).count == 2


def test_bytes_need_the_mean_of_each_channel():
    with pytest.raises(ValueError, match="mean and std are for 3 channels, but images have 2"):
        predict(nn.Flatten(), np.zeros((1, 2, 1, 1), np.uint8), mean=[0.5] * 3, std=[1.0] * 3)


def test_a_batch_has_images():
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        predict(nn.Flatten(), np.zeros((1, 1, 1, 1), np.float32), batch_size=0)
    with pytest.raises(TypeError, match=r"batch_size must be an int, got float 2\.5"):
        predict(nn.Flatten(), np.zeros((1, 1, 1, 1), np.float32), batch_size=2.5)


@given(count=st.integers(1, 2000), share=st.floats(0, 1))
def test_the_interval_is_that_of_scipy(count, share):
    from scipy import stats

    correct = round(share * count)
    low, high = Evaluation(0.0, correct / count, correct, count).interval()
    theirs = stats.binomtest(correct, count).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    assert 0 <= low <= correct / count + 1e-12
    assert correct / count - 1e-12 <= high <= 1


def test_the_text_of_an_evaluation():
    text = str(Evaluation(0.25, 0.75, 3, 4))
    assert text == "75.00 % of 4 right (95 %: 30.1 to 95.4), loss 0.2500"


@given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=50),
    dtype=st.sampled_from([np.int64, np.uint8, np.int32]),
)
def test_the_counts_are_those_of_scikit_learn(pairs, dtype):
    from sklearn import metrics

    labels, predictions = np.array(pairs, dtype).reshape(-1, 2).T
    found = confusion_matrix(labels, predictions, 5)
    theirs = np.zeros((5, 5), int)
    if pairs:  # scikit-learn wants at least one
        theirs = metrics.confusion_matrix(labels, predictions, labels=range(5))
    np.testing.assert_array_equal(found, theirs)
    assert found.dtype == np.int64
    assert np.trace(found) == (labels == predictions).sum()


def test_tensors_and_lists_are_taken():
    logits = torch.tensor([[3.0, 1.0], [0.0, 2.0], [5.0, 4.0]])
    found = confusion_matrix(torch.tensor([0, 1, 1]), logits.argmax(1), 2)
    assert found.tolist() == [[1, 0], [1, 1]]
    assert confusion_matrix([], [], 2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("labels", "predictions", "classes", "error", "message"),
    [
        ([0, 1], [0], 2, ValueError, "2 labels need 2 predictions, got 1"),
        ([0, 2], [0, 1], 2, ValueError, "labels holds 2, but there are 2 classes, 0 to 1"),
        ([0, 1], [0, -1], 2, ValueError, "predictions holds -1, but there are 2 classes"),
        ([0.0], [0], 2, TypeError, "labels must be integers, got float64"),
        ([0], [[0]], 2, ValueError, r"predictions must have the shape \(N,\), got \(1, 1\)"),
        ([], [], 0, ValueError, "classes must be at least 1, got 0"),
    ],
)
def test_invalid_arguments_of_confusion_matrix(labels, predictions, classes, error, message):
    with pytest.raises(error, match=message):
        confusion_matrix(labels, predictions, classes)


def test_a_buffer_that_the_model_replaces_is_put_back():
    class Counting(nn.Flatten):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, images):
            self.calls = self.calls + 1
            return super().forward(images)

    model = Counting()
    calls = model.calls
    predict(model, np.zeros((2, 3, 1, 1), np.float32))
    assert model.calls is calls
    assert calls == 0


@given(st.integers(0, 4), st.integers(0, 22))
def test_nan_is_no_class(column, row):
    """argmax would return the position of NaN."""
    images, _ = logits_as_images(23, 5)
    labels = images[:, :, 0, 0].argmax(1)
    images[row, column] = np.nan
    labels[row] = column
    assert evaluate(nn.Flatten(), images, labels).correct == 22


def test_a_row_of_minus_infinity_has_no_largest_number():
    images = np.full((3, 4, 1, 1), -np.inf, np.float32)
    images[1, 2] = 0
    assert evaluate(nn.Flatten(), images, [0, 2, 1]).correct == 1


@pytest.mark.parametrize("order", "<>=")
@pytest.mark.parametrize("dtype", ["i2", "i4", "i8", "u1", "u2", "u4"])
@pytest.mark.parametrize("image_dtype", ["f2", "f4", "f8"])
def test_every_byte_order_is_taken(order, dtype, image_dtype):
    images, labels = logits_as_images(23, 5)
    images = images.astype(image_dtype)
    found = evaluate(nn.Flatten(), images.astype(order + image_dtype), labels.astype(order + dtype))
    assert found == evaluate(nn.Flatten(), images, labels)


class NoFloat64(TorchDispatchMode):
    """The rule of a device without float64: no operation but the copy to the CPU gives one."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.dtype == torch.float64:
            assert result.device.type == "cpu"
        return result


def test_no_tensor_of_float64_is_on_the_device():
    """On "meta", since there is no such device here; only the counts are read from it."""
    images, labels = logits_as_images(4, 5)
    model = nn.Sequential(nn.Flatten(), nn.Linear(5, 5)).to("meta")
    for dtype in (np.float32, np.float64):
        with NoFloat64(), pytest.raises(NotImplementedError, match="meta tensor"):
            evaluate(model, images.astype(dtype), labels)


@given(st.lists(st.integers(0, 255), min_size=1, max_size=4))
def test_a_constant_channel_is_nearly_0(values):
    pixels = torch.tensor(values, dtype=torch.uint8).reshape(1, -1, 1, 1).expand(2, -1, 3, 3)
    mean, std = mean_and_std(pixels.numpy())
    assert std == (0.0,) * len(values)
    normalized = predict(nn.Flatten(), pixels.contiguous(), mean=mean, std=std)
    assert normalized.abs().max() < 1e-6
