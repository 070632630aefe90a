"""Notes on layers that cannot be built, and the arguments that they name instead."""

import pytest
import torch
from torch import nn

from convlab.explain import explaining
from convlab.explain.constructors import explain_layer

INTEGER, GROUPS, SAME = "not_an_integer", "groups_do_not_divide", "same_with_stride"
CASES = [
    (nn.GroupNorm, {"num_groups": 3, "num_channels": 8}, GROUPS, "num_groups=2 or 4"),
    (nn.GroupNorm, {"num_groups": 3.0, "num_channels": 8}, GROUPS, "num_groups=2 or 4"),
    (nn.GroupNorm, {"num_groups": 0, "num_channels": 8}, GROUPS, "num_groups=1"),
    (nn.GroupNorm, {"num_groups": 9, "num_channels": 8}, GROUPS, "num_groups=8"),
    (nn.GroupNorm, {"num_groups": 2.5, "num_channels": 8}, INTEGER, "num_groups=2"),
    (nn.GroupNorm, {"num_groups": 2, "num_channels": 8.0}, INTEGER, "num_channels=8"),
    (
        nn.GroupNorm,
        {"num_groups": 3, "num_channels": 8.0},
        GROUPS,
        "num_channels=8, num_groups=2 or 4",
    ),
    (nn.MultiheadAttention, {"embed_dim": 10, "num_heads": 3}, GROUPS, "num_heads=2 or 5"),
    (nn.GroupNorm, {"num_groups": 7, "num_channels": 30_000}, GROUPS, "num_groups=6 or 8"),
    (
        nn.GroupNorm,
        {"num_groups": 200, "num_channels": 2 * 99_991},
        GROUPS,
        "num_groups=2 or 99991",
    ),
    (nn.MultiheadAttention, {"embed_dim": 10.0, "num_heads": 2}, INTEGER, "embed_dim=10"),
    (nn.MultiheadAttention, {"embed_dim": 10**8, "num_heads": 3}, GROUPS, "num_heads=2 or 4"),
    (nn.BatchNorm1d, {"num_features": 8.0}, INTEGER, "num_features=8"),
    (nn.BatchNorm2d, {"num_features": "8"}, INTEGER, ""),
    (nn.InstanceNorm2d, {"num_features": 8.0, "affine": True}, INTEGER, "num_features=8"),
    (nn.LayerNorm, {"normalized_shape": 8.0}, INTEGER, "normalized_shape=8"),
    (nn.LayerNorm, {"normalized_shape": (4, 8.0)}, INTEGER, "normalized_shape=(4, 8)"),
    (nn.RMSNorm, {"normalized_shape": [4.0, 8.0]}, INTEGER, "normalized_shape=(4, 8)"),
    (nn.Linear, {"in_features": 8.0, "out_features": 4}, INTEGER, "in_features=8"),
    (nn.Linear, {"in_features": 8 / 3, "out_features": 4}, INTEGER, "in_features=2"),
    (
        nn.Linear,
        {"in_features": 8.0, "out_features": 4.0},
        INTEGER,
        "in_features=8, out_features=4",
    ),
    (nn.Linear, {"in_features": (8, 2), "out_features": 4}, INTEGER, ""),
    (
        nn.Bilinear,
        {"in1_features": 2.0, "in2_features": 3, "out_features": 4},
        INTEGER,
        "in1_features=2",
    ),
    (nn.Embedding, {"num_embeddings": 9.0, "embedding_dim": 3}, INTEGER, "num_embeddings=9"),
    (nn.LSTM, {"input_size": 8, "hidden_size": 3.0}, INTEGER, "hidden_size=3"),
    (nn.GRUCell, {"input_size": 8.0, "hidden_size": 3}, INTEGER, "input_size=8"),
    (nn.PReLU, {"num_parameters": 2.0}, INTEGER, "num_parameters=2"),
    (
        nn.Conv2d,
        {"in_channels": 3, "out_channels": 4.0, "kernel_size": 3},
        INTEGER,
        "out_channels=4",
    ),
    (
        nn.Conv2d,
        {"in_channels": 6, "out_channels": 9, "kernel_size": 3, "groups": 2},
        GROUPS,
        "groups=1 or 3",
    ),
    (
        nn.ConvTranspose2d,
        {"in_channels": 6, "out_channels": 8, "kernel_size": 3, "groups": 4},
        GROUPS,
        "groups=2",
    ),
    (
        nn.Conv2d,
        {"in_channels": 3, "out_channels": 4, "kernel_size": 5, "stride": 2, "padding": "same"},
        SAME,
        "padding=2, or stride=1",
    ),
]


def note_of(cls, arguments):
    """Return the lines of the note on a layer that cannot be built."""
    with pytest.raises(Exception) as caught, explaining():  # noqa: PT011  (any error will do)
        cls(**arguments)
    (note,) = getattr(caught.value, "__notes__", [None])
    return note and note.splitlines()


@pytest.mark.parametrize(("cls", "arguments", "cause", "fix"), CASES)
def test_the_cause_and_the_arguments_with_which_it_can_be_built(cls, arguments, cause, fix):
    note = note_of(cls, arguments)
    assert note[0].startswith(f"convlab: [{cause}] {cls.__name__}: ")
    fixes = [line.removeprefix("  fix: ") for line in note if line.startswith("  fix: ")]
    assert fixes == ([fix] if fix else [])
    for changes in alternatives(fix):
        with torch.device("meta"):
            cls(**arguments | changes)


@pytest.mark.parametrize(
    ("channels", "groups", "fix"),
    [
        (10**9, 3, "num_groups=2 or 4"),
        (10**40, 3, "num_groups=2 or 4"),
        (10**40 + 1, 10**30, "num_groups="),
    ],
)
def test_a_huge_number_of_channels(channels, groups, fix):
    built = explain_layer({"num_groups": groups, "num_channels": channels})
    assert built.fix.startswith(fix)
    for number in alternatives(built.fix):
        assert channels % number["num_groups"] == 0


def alternatives(fix):
    """Return the arguments that a fix such as ``a=8, b=2 or 4`` or ``a=1, or b=2`` names."""
    if not fix:
        return []
    if ", or " in fix:
        return [eval(f"dict({part})") for part in fix.split(", or ")]
    first, *others = fix.split(" or ")
    name = first.rpartition("=")[0].rpartition(" ")[2]
    changes = eval(f"dict({first})")
    return [changes, *(changes | {name: int(other)} for other in others)]


def test_the_innermost_layer_is_named():
    note = note_of(nn.TransformerEncoderLayer, {"d_model": 10, "nhead": 3})
    assert note[0].startswith("convlab: [groups_do_not_divide] MultiheadAttention: ")
    assert "  embed_dim / num_heads = 10 / 3 leaves a remainder of 1" in note


@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        (nn.Dropout, {"p": 1.5}),
        (nn.Linear, {"in_features": -1, "out_features": 4}),
        (nn.LSTM, {"input_size": 8, "hidden_size": 3, "dropout": 2.0}),
        (nn.Embedding, {"num_embeddings": 3, "embedding_dim": 4, "padding_idx": 5}),
        (nn.GroupNorm, {"num_groups": 2.0, "num_channels": 8, "device": "nowhere"}),
        (nn.BatchNorm2d, {"num_features": 8, "device": "nowhere"}),
        (nn.Conv2d, {"in_channels": 3, "out_channels": 4}),
    ],
)
def test_other_errors_have_no_note(cls, arguments):
    assert note_of(cls, arguments) is None
