"""The inputs of a summary: shapes, tensors, dtypes, keyword arguments, axes of the image."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from convlab.summary import summary
from tests.summary.networks import Block


def test_inputs_of_the_size_of_the_image_have_its_field():
    def forward(self, image, other, condition):
        return self.conv(image) + other[:, :, 1:-1, 1:-1] + condition[:, :, None, None]

    model = Block(forward, conv=nn.Conv2d(2, 3, 3))
    inputs = torch.ones(1, 2, 6, 6), torch.ones(1, 3, 6, 6), torch.ones(1, 3)
    found = summary(model, inputs)
    assert found.input_shapes == ((1, 2, 6, 6), (1, 3, 6, 6), (1, 3))
    assert found.layers[-1].receptive_field.size == (3, 3)
    image = torch.ones(1, 3, 4, 4)
    twice = summary(Block(lambda self, x, y: x + y), (image, image))
    assert twice.layers[-1].receptive_field.size == (1, 1)
    add = Block(lambda self, x, others: self.conv(x + others["y"]), conv=nn.Conv2d(3, 1, 1))
    nested = summary(add, input_data=[image, {"y": image}])
    assert nested.input_shapes == ((1, 3, 4, 4),) * 2
    assert [layer.name for layer in nested.layers] == ["(add)", "conv"]


def test_shape_and_tensors_can_be_given_as_in_torchinfo():
    model, image = nn.Conv2d(2, 3, 3), torch.ones(1, 2, 6, 6)
    expected = summary(model, (2, 6, 6)).to_dict()
    for options in (
        {"input": (1, 2, 6, 6)}, {"input_size": (1, 2, 6, 6)}, {"input_size": image.shape},
        {"input": image}, {"input_data": image}, {"input_data": [image]},
        {"input_data": {"input": image}}, {"input_size": [(1, 2, 6, 6)]},
    ):  # fmt: skip
        assert summary(model, **options).to_dict() == expected
    two = summary(nn.Bilinear(4, 5, 6), [(1, 4), (1, 5)])
    assert two.input_shapes == ((1, 4), (1, 5))
    assert summary(nn.Bilinear(4, 5, 6), input_size=[(1, 4), (1, 5)]) == two
    assert summary(nn.Identity(), input_size=(3,)).input_shapes == ((3,),)


def test_keyword_arguments_and_nested_tensors_are_inputs():
    def forward(self, images, *, scale, masks=None):
        x = self.conv(torch.stack(images)) * scale
        return x if masks is None else x * masks["mask"]

    model = Block(forward, conv=nn.Conv2d(2, 3, 3))
    images, mask = [torch.ones(2, 6, 6), torch.ones(2, 6, 6)], torch.ones(4, 4)
    found = summary(model, input_data=[images], scale=2.0)
    assert found.input_shapes == ((2, 6, 6), (2, 6, 6))
    assert found.image_size == (6, 6)
    assert found.layers[-1].output_shape == (2, 3, 4, 4)
    assert summary(model, [images], scale=2.0) == found
    assert summary(model, input_data={"images": images, "scale": 2}) == found
    masked = summary(model, images=images, scale=2, masks={"mask": mask})
    assert masked.input_shapes == ((2, 6, 6), (2, 6, 6), (4, 4))
    assert masked.layers[-1].kind == "mul"  # of two values that depend on the inputs
    with pytest.raises(TypeError, match="got none of them"):
        summary(model, scale=2)


def test_keyword_arguments_are_restored():
    scale = torch.ones(3)
    summary(Block(lambda self, x, scale: x * scale.mul_(2)), input_size=(1, 3), scale=scale)
    assert scale.tolist() == [1, 1, 1]


def test_each_input_has_a_dtype():
    def forward(self, x, ids, mask):
        dtypes.append((x.dtype, ids.dtype, mask.dtype))
        return self.fc(x) + self.embedding(ids) + self.fc(x[mask])

    # Only zeros are indices of these; without True nothing is selected.
    members = {"fc": nn.Linear(3, 4).double(), "embedding": nn.Embedding(1, 4).double()}
    model, dtypes = Block(forward, **members), []
    shapes, wanted = [(2, 3), (2,), (2,)], (torch.float64, torch.int32, torch.bool)
    for options in ({"input_size": shapes}, {"input": shapes}):
        summary(model, **options, dtypes=[*wanted])
    assert dtypes == [wanted] * 2
    assert summary(nn.Conv2d(2, 3, 3, dtype=torch.complex64), (2, 5, 5)).parameters == 57
    found = summary(nn.Embedding(1, 4), input_size=(2, 3), dtype=torch.int64)
    assert found.layers[0].output_shape == (2, 3, 4)
    assert summary(nn.Embedding(1, 4), (2, 3), dtypes=[torch.int64]) == found


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, TypeError, "exactly one of input, input_size and input_data, got none of them"),
        ({"input": (1, 4, 4), "input_size": (1, 1, 4, 4)}, TypeError, "got input and input_size"),
        ({"input_size": 3}, TypeError, r"input_size must be a tuple of ints .* got int 3"),
        ({"input_size": torch.ones(1, 4)}, TypeError, "input_size must be .* got Tensor"),
        ({"input_size": [torch.ones(1, 4)]}, TypeError, r"input_size\[0\] must be an int"),
        ({"input": [(1, 4), (1, "4")]}, TypeError, r"input\[1\]\[1\] must be an int, got str"),
        ({"input_size": [(1, 4), 5]}, TypeError, r"input_size\[1\] must be a tuple of ints"),
        ({"input_data": (1, 4, 4)}, TypeError, r"with at least one tensor, got tuple \(1, 4, 4\)"),
        ({"input_data": {"x": None}}, TypeError, "with at least one tensor, got dict"),
        (
            {"input": (torch.ones(1, 4), None)}, TypeError,
            "tensors only, or ints only, got Tensor, NoneType; input_data and keyword arguments",
        ),
        ({"input": (1, 2), "dtype": "int64"}, TypeError, "must be a torch.dtype, .* got 'int64'"),
        ({"input": (1, 2), "dtypes": ["int64"]}, TypeError, "must be a torch.dtype, .* got .'int"),
        (
            {"input": (1, 2), "dtypes": [torch.int64] * 2}, ValueError,
            "dtypes must have one entry per input, of which there are 1, got 2",
        ),
    ],
)  # fmt: skip
def test_the_error_names_an_invalid_input(options, error, message):
    with pytest.raises(error, match=message):
        summary(nn.ReLU(), **options)


LAYERS = {
    "conv": {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d},
    "up": {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d},
    "max": {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d},
    "average": {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d},
    "adaptive": {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d},
    "pad": {1: nn.ReflectionPad1d, 2: nn.ReflectionPad2d, 3: nn.ReflectionPad3d},
}


@given(st.data())
def test_a_shape_without_a_batch_gets_one_in_models_of_any_rank(data):
    rank = data.draw(st.integers(1, 3))
    channels = data.draw(st.integers(1, 3))
    layers = []
    for kind in data.draw(st.lists(st.sampled_from([*LAYERS]), min_size=1, max_size=2)):
        kernel, stride = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
        arguments = {"adaptive": [5], "pad": [1]}.get(kind, [kernel, stride])
        arguments = [channels, channels] * (kind in ("conv", "up")) + arguments
        layers.append(LAYERS[kind][rank](*arguments))
    model = nn.Sequential(*layers)
    shape = channels, *data.draw(st.lists(st.integers(10, 12), min_size=rank, max_size=rank))
    whole = summary(model, (1, *shape))
    assert whole.image_size == shape[1:]
    assert summary(model, shape) == whole
    # Layers of PyTorch take a tensor without a batch too.
    unbatched = summary(model, torch.ones(shape))
    assert unbatched.image_size == shape[1:]
    assert unbatched.input_shapes == (shape,)
    for with_batch, without in zip(whole.layers, unbatched.layers, strict=True):
        assert without.receptive_field == with_batch.receptive_field
        assert without.macs == with_batch.macs
    assert len(whole.layers[-1].receptive_field.size) == rank


def test_a_shape_is_whole_if_the_model_fails_with_a_batch():
    wave = Block(lambda self, x: self.conv(x.unsqueeze(1)), conv=nn.Conv1d(1, 8, 3))
    found = summary(wave, (2, 100))
    assert found.input_shapes == ((2, 100),)
    assert found.layers[0].output_shape == (2, 8, 98)
    assert found.layers[0].receptive_field.size == (3,)
    assert summary(nn.LSTM(4, 6, batch_first=True), (2, 5, 4)).input_shapes == ((2, 5, 4),)
    attention = nn.TransformerEncoderLayer(4, 2, batch_first=True)
    assert summary(attention, (2, 5, 4)).layers[-1].output_shape == (2, 5, 4)
    # Indices have no channels, even if the model runs with another dimension.
    members = {"embedding": nn.Embedding(9, 4), "pool": nn.MaxPool1d(2)}
    words = Block(lambda self, x: self.pool(self.embedding(x).sum(-1)), **members)
    assert summary(words, (2, 7), dtype=torch.int64).input_shapes == ((2, 7),)
    # The error is that of the first reading.
    with pytest.raises(RuntimeError, match=r"called with \(1, 3, 9\)"):
        summary(nn.Conv1d(4, 2, 3), (3, 9))


def test_the_axes_of_the_image_are_those_of_the_windows_or_unknown():
    weight = nn.Parameter(torch.ones(4, 3, 5, 3))
    functional = Block(lambda self, x: F.conv2d(x, self.weight), weight=weight)
    assert summary(functional, (3, 8, 9)).layers[0].receptive_field.size == (5, 3)
    # (C, H, W), or (N, C, L)?
    for model in (functional, nn.Linear(9, 4)):
        found = summary(model, torch.ones(3, 8, 9))
        assert found.image_size == ()
        assert found.layers[0].receptive_field is None
    # Frames of a film, as one batch.
    film = Block(lambda self, x: self.conv(x.flatten(0, 1)), conv=nn.Conv2d(3, 4, 3))
    assert summary(film, (2, 5, 3, 8, 9)).image_size == (8, 9)
    # The image may follow a condition.
    condition = Block(lambda self, y, x: self.conv(x) * y[:, None, None], conv=nn.Conv2d(3, 4, 3))
    found = summary(condition, (torch.ones(4), torch.ones(1, 3, 8, 9)))
    assert found.image_size == (8, 9)
    assert found.layers[-1].receptive_field.size == (3, 3)
    # A network for images with 1-D windows over its channels.
    gate = Block(
        lambda self, x: x * self.conv(x.mean((2, 3))[:, None]).mT[..., None],
        conv=nn.Conv1d(1, 1, 3, padding=1),
    )
    found = summary(nn.Sequential(nn.Conv2d(3, 4, 3), gate), (3, 8, 9))
    assert found.input_shapes == ((1, 3, 8, 9),)
    assert found.image_size == (8, 9)
    assert summary(gate, (3, 8, 9)).image_size == (8, 9)


def test_the_field_of_token_indices():
    members = {"embedding": nn.Embedding(9, 4), "conv": nn.Conv1d(4, 2, 3, stride=2)}
    words = Block(lambda self, ids: self.conv(self.embedding(ids).mT).relu(), **members)
    found = summary(words, (2, 9), dtype=torch.int64)
    assert [layer.receptive_field.size for layer in found.layers] == [(1,), (3,), (3,)]
    assert [layer.receptive_field.jump for layer in found.layers] == [(1,), (2,), (2,)]
    # The rows of the weight are cells of the input.
    gather = Block(lambda self, x: self.pool(F.embedding(x[:, 0].long(), x)), pool=nn.MaxPool1d(2))
    assert summary(gather, torch.zeros(9, 4)).layers[-1].receptive_field is None
