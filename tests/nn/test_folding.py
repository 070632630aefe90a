"""Folding preserves results, and applies to exactly the pairs that can be folded."""

import copy
import threading

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune
from torch.nn.utils.fusion import fuse_conv_bn_eval

import convlab.models
import convlab.nn
from convlab.nn import fold_conv_bn, fold_model, redundant_biases, replace_conv2d


def trained_norm(bn):
    """Set random statistics and parameters, as after training, in evaluation mode."""
    bn.running_mean.normal_()
    bn.running_var.uniform_(0.1, 3.0)
    for parameter in bn.parameters():
        nn.init.normal_(parameter)
    return bn.eval()


def trained_model(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    return model.eval()


def error(ours, reference):
    return ((ours - reference).abs().max() / reference.abs().max()).item()


def norms_in(model):
    return [name for name, m in model.named_modules() if isinstance(m, nn.BatchNorm2d)]


def conv_and_bn(channels=4):
    return nn.Conv2d(3, channels, 3), trained_norm(nn.BatchNorm2d(channels))


CONVOLUTIONS = st.fixed_dictionaries(
    {
        "kernel_size": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "padding": st.one_of(st.just("valid"), st.tuples(st.integers(0, 2), st.integers(0, 2))),
        "dilation": st.tuples(st.integers(1, 2), st.integers(1, 2)),
        "groups": st.sampled_from([1, 2, 4]),
        "bias": st.booleans(),
        "padding_mode": st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    }
)


@given(
    st.sampled_from([nn.Conv2d, convlab.nn.Conv2d]),
    CONVOLUTIONS,
    st.sets(st.sampled_from(["weight", "bias"])),
    st.sampled_from([0.0, 1e-5, 1.0]),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None)
def test_the_folded_layer_computes_the_same(cls, arguments, missing, eps, seed):
    torch.manual_seed(seed)
    conv = cls(4, 8, dtype=torch.float64, **arguments)
    bn = nn.BatchNorm2d(8, eps=eps, dtype=torch.float64)
    for name in missing:
        bn.register_parameter(name, None)
    trained_norm(bn)
    x = torch.randn(2, 4, 6, 7, dtype=torch.float64)
    folded = fold_conv_bn(conv, bn)
    torch.testing.assert_close(folded(x), bn(conv(x)), rtol=1e-12, atol=1e-12)
    if not missing:
        theirs = fuse_conv_bn_eval(conv.eval(), bn)
        torch.testing.assert_close(folded.weight, theirs.weight, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(folded.bias, theirs.bias, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("cls", [nn.Conv2d, convlab.nn.Conv2d])
def test_the_new_layer_has_the_arguments_of_the_old_one_and_a_bias(cls):
    conv = cls(4, 6, (3, 5), 2, (1, 2), 3, 2, bias=False, padding_mode="circular")
    before = copy.deepcopy(conv.state_dict())
    folded = fold_conv_bn(conv, trained_norm(nn.BatchNorm2d(6)))
    assert repr(folded) == repr(conv).replace(", bias=False", "")
    assert type(folded) is type(conv)
    assert not folded.training
    assert conv.bias is None
    torch.testing.assert_close(conv.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize("trained", [True, False])
def test_the_new_parameters_are_trained_if_the_old_weight_was(trained):
    conv, bn = conv_and_bn()
    folded = fold_conv_bn(conv.requires_grad_(trained), bn)
    assert [p.requires_grad for p in folded.parameters()] == [trained, trained]
    assert all(p.is_leaf for p in folded.parameters())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_narrow_type_is_rounded_once(dtype):
    torch.manual_seed(0)
    conv, bn = conv_and_bn(64)
    conv = conv.to(dtype)  # the statistics may stay wider, as in mixed precision
    folded = fold_conv_bn(conv, bn)
    exact = fold_conv_bn(conv.double(), bn.double())
    assert folded.weight.dtype == folded.bias.dtype == dtype
    assert torch.equal(folded.weight, exact.weight.to(dtype))
    assert torch.equal(folded.bias, exact.bias.to(dtype))


def test_layers_with_different_channel_counts_are_refused():
    conv, _ = conv_and_bn(4)
    with pytest.raises(ValueError, match="conv has 4 output channels, but bn normalizes 5"):
        fold_conv_bn(conv, trained_norm(nn.BatchNorm2d(5)))


def test_a_normalization_in_training_is_refused():
    conv, bn = conv_and_bn()
    with pytest.raises(ValueError, match=r"bn is in training mode.*call bn.eval\(\) first"):
        fold_conv_bn(conv, bn.train())


def test_a_normalization_without_statistics_is_refused():
    conv, _ = conv_and_bn(4)
    bn = nn.BatchNorm2d(4, track_running_stats=False).eval()
    with pytest.raises(ValueError, match=r"no running statistics \(track_running_stats=False\)"):
        fold_conv_bn(conv, bn)


class Standardized(nn.Conv2d):
    def forward(self, input):
        return F.conv2d(input, self.weight - self.weight.mean(), self.bias)


class Doubled(nn.Conv2d):
    def __call__(self, input):
        return 2 * super().__call__(input)


class Checked(nn.BatchNorm2d):
    def _check_input_dim(self, input):
        input.mul_(2)


@pytest.mark.parametrize(
    ("conv", "bn", "message"),
    [
        (
            nn.Linear(3, 4),
            nn.BatchNorm2d(4),
            "conv must be a torch.nn.Conv2d or convlab.nn.Conv2d, got Linear",
        ),
        (nn.ConvTranspose2d(3, 4, 3), nn.BatchNorm2d(4), "got ConvTranspose2d"),
        (
            nn.Conv2d(3, 4, 3),
            nn.GroupNorm(2, 4),
            "bn must be a torch.nn.BatchNorm2d, got GroupNorm",
        ),
        (nn.Conv2d(3, 4, 3), nn.BatchNorm1d(4), "got BatchNorm1d"),
        (Standardized(3, 4, 3), nn.BatchNorm2d(4), "a Standardized, which replaces forward"),
        (Doubled(3, 4, 3), nn.BatchNorm2d(4), "a Doubled, which replaces __call__"),
        (nn.Conv2d(3, 4, 3), Checked(4), "a Checked, which replaces _check_input_dim"),
    ],
)
def test_other_layers_are_refused(conv, bn, message):
    with pytest.raises(TypeError, match=message):
        fold_conv_bn(conv, bn.eval())


def test_layers_with_hooks_or_parametrizations_are_refused():
    conv, bn = conv_and_bn()
    with pytest.raises(ValueError, match="conv has hooks or parametrizations"):
        fold_conv_bn(parametrizations.weight_norm(copy.deepcopy(conv)), bn)
    bn.register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match="bn has hooks or parametrizations"):
        fold_conv_bn(conv, bn)


@pytest.mark.parametrize(
    ("name", "size", "left"),
    [
        ("resnet18", 64, 0),
        ("mobilenet_v3_small", 64, 0),
        ("shufflenet_v2_x0_5", 64, 0),
        ("densenet121", 64, 62),  # ReLU stands between: two thirds come before their convolution
    ],
)
def test_networks_give_the_same_logits_with_fewer_layers(name, size, left):
    torch.manual_seed(0)
    model = trained_model(torchvision.models.get_model(name)).double()
    before = copy.deepcopy(model.state_dict())
    folded = fold_model(model)
    x = torch.randn(2, 3, size, size, dtype=torch.float64)
    with torch.no_grad():
        assert error(folded(x), model(x)) < 1e-11
    assert len(norms_in(folded)) == left
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "shape", "biases"),
    [
        ("simple-cnn", (3, 32, 32), 0),
        ("mnist-cnn", (1, 28, 28), 0),
        ("resnet34", (3, 32, 32), 0),
        pytest.param("vgg11-bn", (3, 32, 32), 64 + 128 + 2 * 256 + 4 * 512, marks=pytest.mark.slow),
    ],
)
def test_the_networks_of_the_book_can_be_folded(name, shape, biases):
    torch.manual_seed(0)
    if name == "vgg11-bn":
        model = convlab.models.VGG11(batch_norm=True)
    else:
        model = convlab.models.MODELS[name].build(num_classes=10)
    model, x = trained_model(model).double(), torch.randn(2, *shape, dtype=torch.float64)
    folded = fold_model(model)
    with torch.no_grad():
        assert error(folded(x), model(x)) < 1e-11
    assert norms_in(folded) == []
    assert sum(redundant_biases(model, x).values()) == biases


def test_resnet18_in_single_precision():
    torch.manual_seed(0)
    model = trained_model(torchvision.models.resnet18())
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        assert error(fold_model(model)(x), model(x)) < 1e-5


def test_the_copy_shares_no_memory_with_the_model():
    model = nn.Sequential(*conv_and_bn(), nn.Conv2d(4, 4, 1)).eval()
    before = [p.clone() for p in model.parameters()]
    for parameter in fold_model(model).parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(list(model.parameters()), before, rtol=0, atol=0)


class Model(nn.Module):
    """A model whose forward is given as a function of it and x."""

    def __init__(self, run, **layers):
        super().__init__()
        self.run = run
        self.conv, self.bn = conv_and_bn(4)
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.eval()

    def forward(self, x):
        return self.run(self, x)


class WithOption(Model):
    def forward(self, x, again=None, *, scale: float = 2.0):
        y = self.bn(self.conv(x)) * scale
        return y if again is None else self.bn(self.conv(again)) + y


class SubNorm(nn.BatchNorm2d):
    """A subclass that changes nothing."""


def alias(model):
    model.layers = nn.ModuleList([model.conv, model.bn])
    return model


FOLDED = {
    "the plain pair": Model(lambda m, x: m.bn(m.conv(x))),
    "an argument by its name": Model(lambda m, x: m.bn(input=m.conv(x))),
    "layers that have two names": alias(Model(lambda m, x: m.layers[1](m.layers[0](x)))),
    "a branch behind the pair": Model(lambda m, x: (y := m.bn(m.conv(x))).relu() + y),
    "an optional argument left out": WithOption(None),
    "a subclass that changes nothing": Model(
        lambda m, x: m.bn(m.conv(x)), bn=trained_norm(SubNorm(4))
    ),
}


def with_assigned(name):
    """Return a model that computes a tensor of its convolution anew in each forward pass."""

    def run(model, x):
        setattr(model.conv, name, 2 * getattr(model, name))
        return model.bn(model.conv(x))

    model = Model(run)
    setattr(model, name, getattr(model.conv, name))
    delattr(model.conv, name)
    return model


def with_settings(**changes):
    """Return a model that changes settings of its normalization, and restores them at the end."""

    def run(model, x):
        before = {name: getattr(model.bn, name) for name in changes}
        vars(model.bn).update(changes)
        y = model.bn(model.conv(x))
        vars(model.bn).update(before)
        return y

    return Model(run)


def store(model, x):
    model.features = [model.conv(x)]
    return model.bn(model.features[0])


def patched(name):
    """Return a model whose layer `name` has a replaced ``forward``."""
    model = Model(lambda m, x: m.bn(m.conv(x)))
    layer = model.get_submodule(name)
    forward = layer.forward
    layer.forward = lambda x: 3 * forward(x)
    return model


NOT_FOLDED = {
    "a result that is also used elsewhere": Model(lambda m, x: m.bn(y := m.conv(x)) + y),
    "a result that is also returned": Model(lambda m, x: (m.bn(y := m.conv(x)), y)),
    "a step between": Model(lambda m, x: m.bn(m.conv(x).relu())),
    "a normalization first": Model(
        lambda m, x: m.conv(m.first(x)), first=trained_norm(nn.BatchNorm2d(3))
    ),
    "a convolution used twice": Model(lambda m, x: m.bn(m.conv(x)) + m.conv(x)),
    "a pair used twice": Model(lambda m, x: m.bn(m.conv(x)) + m.bn(m.conv(2 * x))),
    "a weight that is read from outside": Model(
        lambda m, x: m.bn(m.conv(x)) + F.conv2d(x, m.conv.weight)
    ),
    "a mean that is read from outside": Model(
        lambda m, x: m.bn(m.conv(x)) + m.bn.running_mean[:, None, None]
    ),
    "parameters that are read as a list": Model(
        lambda m, x: m.bn(m.conv(x)) + sum(p.square().sum() for p in m.conv.parameters())
    ),
    "parameters that are read from the state": Model(
        lambda m, x: m.bn(m.conv(x)) + m.conv.state_dict()["bias"].sum()
    ),
    "a convolution with a forward of its own": patched("conv"),
    "a normalization with a forward of its own": patched("bn"),
    "no statistics": Model(
        lambda m, x: m.bn(m.conv(x)), bn=nn.BatchNorm2d(4, track_running_stats=False)
    ),
    "a layer of another kind": Model(lambda m, x: m.bn(m.conv(x)), conv=Standardized(3, 4, 3)),
    "a weight that is computed anew": with_assigned("weight"),
    "a bias that is computed anew": with_assigned("bias"),
    "another eps meanwhile": with_settings(eps=0.5),
    "no training mode but here": with_settings(training=True),
    "a result that is stored": Model(store),
    "a convolution with a __call__ of its own": Model(
        lambda m, x: m.bn(m.conv(x)), conv=Doubled(3, 4, 3)
    ),
    "a parametrized weight": Model(
        lambda m, x: m.bn(m.conv(x)), conv=parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    ),
}


@pytest.mark.parametrize("model", FOLDED.values(), ids=FOLDED)
def test_safe_pairs_are_folded(model):
    x = torch.randn(2, 3, 6, 6)
    folded = fold_model(model)
    torch.testing.assert_close(folded(x), model(x))
    assert norms_in(folded) == []


@pytest.mark.parametrize("model", NOT_FOLDED.values(), ids=NOT_FOLDED)
def test_unsafe_pairs_are_not_folded(model):
    x = torch.randn(2, 3, 6, 6)
    left = fold_model(model)
    torch.testing.assert_close(left(x), model(x), rtol=0, atol=0)
    assert norms_in(left) == norms_in(model)


class Stored(Model):
    def forward(self, x):
        self.features = {"maps": [self.bn(self.conv(x))]}
        return self.features["maps"][0]


NON_LEAF_TENSORS = {
    "a stored feature map": (lambda: Stored(None), []),
    "a weight computed by a hook": (
        lambda: nn.Sequential(nn.utils.weight_norm(nn.Conv2d(3, 4, 3)), nn.BatchNorm2d(4)),
        ["1"],
    ),
    "a pruned weight": (
        lambda: nn.Sequential(
            prune.l1_unstructured(nn.Conv2d(3, 4, 3), "weight", 0.5), nn.BatchNorm2d(4)
        ),
        ["1"],
    ),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize(("build", "left"), NON_LEAF_TENSORS.values(), ids=NON_LEAF_TENSORS)
def test_models_that_keep_tensors_of_a_forward_pass_can_be_folded(build, left):
    x = torch.randn(2, 3, 6, 6)
    model = build().eval()
    model(x).sum().backward()
    folded = fold_model(model)
    assert norms_in(folded) == left
    redundant_biases(model, x)
    torch.testing.assert_close(folded(x), model(x))


class Stages(nn.Module):
    """A network in which each layer is in a container of its own, and a pair in another."""

    def __init__(self):
        super().__init__()
        conv, bn = conv_and_bn()
        self.stem, self.norm = nn.Sequential(conv), nn.Sequential(bn)
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3), trained_norm(nn.BatchNorm2d(4)))
        self.last = nn.Sequential(nn.Conv2d(4, 4, 3), trained_norm(nn.BatchNorm2d(4)))
        self.eval()

    def forward(self, x):
        return self.last(self.block(self.norm(self.stem(x))))


HOOKS = {
    "pre": lambda m, hook: m.register_forward_pre_hook(lambda m, args: hook(m, *args)),
    "forward": lambda m, hook: m.register_forward_hook(lambda m, args, y: hook(m, y)),
    "backward": lambda m, hook: m.register_full_backward_hook(lambda m, g, grads: hook(m, *grads)),
    "backward pre": lambda m, hook: m.register_full_backward_pre_hook(
        lambda m, grads: hook(m, *grads)
    ),
}


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("stem", {"norm.0"}),
        ("norm", {"norm.0"}),
        ("block", {"block.1"}),
        ("last", {"last.1"}),
        ("", set()),
    ],
)
@pytest.mark.parametrize("kind", HOOKS)
def test_hooks_of_containers_are_not_run_and_get_the_same_numbers(name, left, kind):
    torch.manual_seed(0)
    model, received = Stages(), []
    x = torch.randn(2, 3, 10, 10, requires_grad=True)

    def hook(module, tensor):
        weights = [p.detach().norm() for p in module.parameters() if name]
        received.append((tensor.detach(), weights))

    HOOKS[kind](model.get_submodule(name), hook)
    model(x).sum().backward()
    folded = fold_model(model)
    redundant_biases(model, x)
    assert len(received) == 1
    assert set(norms_in(folded)) == left
    folded(x).sum().backward()
    torch.testing.assert_close(received[1], received[0])


def test_hooks_of_all_modules_are_not_run_by_the_trace():
    received = []
    handle = nn.modules.module.register_module_forward_hook(lambda *args: received.append(args))
    with handle:
        assert norms_in(fold_model(Stages())) == []
    assert received == []


def test_a_hook_that_changes_a_result_is_no_part_of_a_pair():
    model, x = Stages(), torch.randn(2, 3, 10, 10)
    model.stem.register_forward_hook(lambda m, args, y: y.abs())
    model.block.register_forward_pre_hook(lambda m, args: args[0] - 1)
    torch.testing.assert_close(fold_model(model)(x), model(x))


def test_a_hook_between_the_layers_of_a_pair_is_no_part_of_it():
    model = Model(lambda m, x: m.bn(m.between(m.conv(x))), between=nn.Sequential())
    x = torch.randn(2, 3, 6, 6)
    assert norms_in(fold_model(model)) == []
    assert redundant_biases(model, x) == {"conv": 4}
    model.between.register_forward_hook(lambda m, args, y: y.abs())
    torch.testing.assert_close(fold_model(model)(x), model(x))
    assert redundant_biases(model, x) == {}


def test_a_layer_that_is_also_inside_a_container_with_hooks_is_not_folded():
    model = Model(lambda m, x: m.bn(m.conv(x)) + m.stem(x))
    model.stem = nn.Sequential(model.conv)
    model.stem.register_forward_hook(lambda *args: None)
    x = torch.randn(2, 3, 6, 6)
    torch.testing.assert_close(fold_model(model)(x), model(x))
    assert redundant_biases(model, x) == {}


def test_layers_with_tied_weights_are_not_folded():
    model = nn.Sequential(*conv_and_bn(3), nn.Conv2d(3, 3, 3)).eval()
    model[2].weight = model[0].weight
    assert norms_in(fold_model(model)) == ["1"]
    assert redundant_biases(model, torch.zeros(1, 3, 8, 8)) == {}


def test_a_model_in_training_is_refused_with_the_name_of_the_layer():
    model = FOLDED["the plain pair"]
    with pytest.raises(ValueError, match="the model is in training mode"):
        fold_model(copy.deepcopy(model).train())
    halfway = copy.deepcopy(model)
    halfway.bn.train()
    with pytest.raises(ValueError, match="bn is in training mode"):
        fold_model(halfway)


@pytest.mark.parametrize("value", [lambda m, x: x.mean(), lambda m, x: m.bn.running_mean.sum()])
def test_control_flow_that_depends_on_a_value_is_refused(value):
    model = Model(lambda m, x: m.bn(m.conv(x)) if value(m, x) > 0 else m.conv(x))
    with pytest.raises(ValueError, match="cannot trace Model"):
        fold_model(model)
    with pytest.raises(ValueError, match="cannot trace Model"):
        redundant_biases(model, torch.zeros(1, 3, 8, 8))


def test_a_model_that_makes_a_layer_in_its_first_forward_pass_is_refused():
    def run(model, x):
        if not hasattr(model, "first"):
            model.first = nn.Conv2d(3, 4, 3)
        return model.bn(model.first(x))

    model = Model(run)
    with pytest.raises(ValueError, match=r"cannot trace Model.*not installed as a submodule"):
        fold_model(model)
    assert not hasattr(model, "first")


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda m: torch.compile(m, backend="eager")])
def test_wrapped_models_are_refused(wrap):
    model = wrap(FOLDED["the plain pair"]).eval()
    with pytest.raises(ValueError, match=r"wrapped by torch\.compile, torch\.jit or DataParallel"):
        fold_model(model)


def test_models_that_cannot_be_copied_are_refused():
    model = Model(lambda m, x: m.bn(m.conv(x)))
    model.lock = threading.Lock()
    with pytest.raises(ValueError, match=r"cannot copy Model by copy\.deepcopy: cannot pickle"):
        fold_model(model)
    with pytest.raises(ValueError, match="cannot copy Model"):
        redundant_biases(model, torch.zeros(1, 3, 8, 8))


def test_control_flow_that_depends_on_layer_classes_is_refused():
    model = Model(lambda m, x: m.bn(m.conv(x)) * (2 if isinstance(m.bn, nn.BatchNorm2d) else 1))
    with pytest.raises(ValueError, match=r"takes another path when .* nn.Identity"):
        fold_model(model)


def test_tracing_leaves_nothing_in_the_model():
    model = Model(lambda m, x: m.bn(m.conv(x)) + torch.ones(1))
    fold_model(model)
    redundant_biases(model, torch.zeros(1, 3, 8, 8))
    assert set(vars(model)) == set(vars(Model(None)))


def test_a_buffer_that_the_model_writes_is_not_written():
    def run(model, x):
        model.bn.num_batches_tracked.add_(1)
        return model.bn(model.conv(x))

    model = Model(run)
    assert redundant_biases(model, torch.zeros(1, 3, 8, 8)) == {"conv": 4}
    assert model.bn.num_batches_tracked == 0


def classifier():
    """Build a network for images of 28 x 28, with redundant biases."""
    layers = []
    for before, after in ((1, 32), (32, 64)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2), nn.Dropout2d(0.25)]
    layers += [nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.BatchNorm1d(128), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(128, 10))


def test_models_with_the_convlab_convolution_can_be_folded():
    model, x = replace_conv2d(classifier()).eval(), torch.randn(2, 1, 28, 28)
    folded = fold_model(model)
    torch.testing.assert_close(folded(x), model(x))
    assert isinstance(folded[0], convlab.nn.Conv2d)
    assert norms_in(folded) == []
    assert redundant_biases(model, x) == redundant_biases(classifier(), x)


@pytest.mark.parametrize("training", [True, False])
def test_redundant_biases_are_counted_layer_by_layer(training):
    model = classifier().train(training)
    found = redundant_biases(model, torch.zeros(1, 1, 28, 28))
    assert found == {"0": 32, "3": 32, "8": 64, "11": 64, "17": 128}
    assert model.training == training
    assert model[1].num_batches_tracked == 0


def test_only_redundant_biases_change_nothing_in_training():
    torch.manual_seed(0)
    model, x = classifier().double(), torch.randn(4, 1, 28, 28, dtype=torch.float64)
    redundant = redundant_biases(model, x)
    for name, layer in model.named_children():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            torch.manual_seed(1)  # the same dropout each time
            before = model(x)
            changed = copy.deepcopy(model)
            nn.init.normal_(changed.get_submodule(name).bias, std=10)
            torch.manual_seed(1)
            same = torch.allclose(changed(x), before, rtol=1e-9, atol=1e-9)
            assert same == (name in redundant)


class Frozen(Model):
    def train(self, mode=True):
        super().train(mode)
        self.bn.eval()
        return self


def with_hook(model):
    model.bn.register_forward_pre_hook(lambda m, args: args[0].abs())
    return model


REDUNDANT = {
    "two normalizations": Model(
        lambda m, x: m.bn(y := m.conv(x)) + m.other(y), other=nn.BatchNorm2d(4)
    ),
    "a convolution called twice": Model(lambda m, x: m.bn(m.conv(x)) + m.bn(m.conv(2 * x))),
    "no statistics": NOT_FOLDED["no statistics"],
}
NEEDED = {
    "no bias": Model(lambda m, x: m.bn(m.conv(x)), conv=nn.Conv2d(3, 4, 3, bias=False)),
    "another normalization": Model(lambda m, x: m.bn(m.conv(x)), bn=nn.GroupNorm(2, 4)),
    "an unused result": Model(lambda m, x: (m.conv(x), x)[1]),
    "one call of two without": NOT_FOLDED["a convolution used twice"],
    "a bias that is read from outside": Model(lambda m, x: m.bn(m.conv(x)) + m.conv.bias.sum()),
    "a normalization that stays in evaluation": Frozen(lambda m, x: m.bn(m.conv(x))),
    "a normalization with a forward of its own": patched("bn"),
    "parameters that are read as a list": NOT_FOLDED["parameters that are read as a list"],
    "a weight that is computed anew": NOT_FOLDED["a weight that is computed anew"],
    "a result that is stored": NOT_FOLDED["a result that is stored"],
    "a hook before the normalization": with_hook(Model(lambda m, x: m.bn(m.conv(x)))),
} | {name: NOT_FOLDED[name] for name in list(NOT_FOLDED)[:4]}


@pytest.mark.parametrize("model", REDUNDANT.values(), ids=REDUNDANT)
def test_redundant_biases(model):
    assert redundant_biases(model, torch.zeros(2, 3, 8, 8)) == {"conv": 4}


@pytest.mark.parametrize("model", NEEDED.values(), ids=NEEDED)
def test_biases_with_an_effect(model):
    assert redundant_biases(model, torch.zeros(2, 3, 8, 8)) == {}


def test_the_bias_of_a_linear_layer_counts_where_it_is_added_along_another_axis():
    model = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6))
    assert redundant_biases(model, torch.zeros(2, 5)) == {"0": 6}
    assert redundant_biases(model, torch.zeros(2, 6, 5)) == {}
