"""Each image is counted once, in the row of its class and the column of the answer."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convlab.training import confusion_matrix


@given(
    pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=50),
    kind=st.sampled_from([np.int64, np.uint8, np.int32]),
)
def test_the_counts_are_those_of_scikit_learn(pairs, kind):
    from sklearn import metrics

    labels, predictions = np.array(pairs, kind).reshape(-1, 2).T
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
        ([0, 1], [0], 2, ValueError, "2 labels need as many predictions, got 1"),
        ([0, 2], [0, 1], 2, ValueError, "labels holds 2, but there are 2 classes, 0 to 1"),
        ([0, 1], [0, -1], 2, ValueError, "predictions holds -1"),
        ([0.0], [0], 2, TypeError, "labels must be whole numbers, got float64"),
        ([0], [[0]], 2, ValueError, r"predictions must be a row of classes \(N,\), got shape"),
        ([], [], 0, ValueError, "classes must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_counted(labels, predictions, classes, error, message):
    with pytest.raises(error, match=message):
        confusion_matrix(labels, predictions, classes)
