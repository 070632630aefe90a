"""Batch normalization after a convolution: folded into it, and the bias that it makes useless."""

from __future__ import annotations

import copy
from typing import TypeGuard, TypeVar

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from convlab.nn.layer import Conv2d
from convlab.nn.tracing import Calls

_Kinds = tuple[type[nn.Module], ...]

ConvT = TypeVar("ConvT", nn.Conv2d, Conv2d)
_CONVOLUTIONS: _Kinds = (nn.Conv2d, Conv2d)
_LAYERS = (*_CONVOLUTIONS, _BatchNorm)


def fold_batch_norm(conv: ConvT, bn: nn.BatchNorm2d) -> ConvT:
    """Make one convolution that does what a convolution and a batch normalization do.

    In evaluation, batch normalization multiplies each channel by a fixed number and adds
    another, and both can be put into the kernels. With ``scale = bn.weight /
    sqrt(bn.running_var + bn.eps)``, the weights of a kernel are multiplied by its scale, and
    its bias becomes ``(bias - bn.running_mean) * scale + bn.bias``. This is computed in
    float64, then rounded once to the type of the convolution.

    Parameters
    ----------
    conv : torch.nn.Conv2d or convlab.nn.Conv2d
        With any arguments; not changed. A missing bias counts as 0.
    bn : torch.nn.BatchNorm2d
        In evaluation, with running statistics; not changed. Without ``affine``, its weight
        is 1 and its bias 0.

    Returns
    -------
    torch.nn.Conv2d or convlab.nn.Conv2d
        A new layer of the same kind with the same arguments, and a bias. It is in
        evaluation, and for every input ``folded(x)`` is ``bn(conv(x))`` up to rounding.

    Raises
    ------
    TypeError
        If `conv` is not a convolution of the two kinds or `bn` not a BatchNorm2d, or one of
        them is of a subclass that computes something else.
    ValueError
        If the channel counts differ, `bn` is in training mode or has no running statistics,
        or hooks or parametrizations may change what one of the two computes.

    Notes
    -----
    Source: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference" (2018), section 3.2. PyTorch's own is
    ``torch.nn.utils.fusion.fuse_conv_bn_eval``, which computes in the type of the layer.

    Examples
    --------
    >>> conv, bn = nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1, eps=0).eval()
    >>> _ = nn.init.constant_(conv.weight, 6)
    >>> bn.running_mean[0], bn.running_var[0] = 10, 4
    >>> folded = fold_batch_norm(conv, bn)  # (6x - 10) / 2
    >>> folded.weight.item(), folded.bias.item()
    (3.0, -5.0)
    """
    for name, layer, kinds in (("conv", conv, _CONVOLUTIONS), ("bn", bn, (nn.BatchNorm2d,))):
        error = _objection(layer, name, kinds)
        if error:
            raise error
    if conv.out_channels != bn.num_features:
        raise ValueError(
            f"conv makes {conv.out_channels} channels, but bn normalizes {bn.num_features}: "
            f"the two numbers must be equal"
        )
    if bn.training:
        raise ValueError(
            "bn is in training mode, where it normalizes each batch by that batch's own mean "
            "and variance, which no fixed convolution can do: call bn.eval() first"
        )
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError(
            "bn has no running statistics (track_running_stats=False): it normalizes each "
            "batch by its own, in evaluation too, so there is nothing fixed to fold"
        )
    mean, variance = _exact(bn.running_mean), _exact(bn.running_var)
    scale = (variance + bn.eps).rsqrt()
    if bn.affine:
        scale = scale * _exact(bn.weight)
    bias = -mean if conv.bias is None else _exact(conv.bias) - mean
    bias = bias * scale
    if bn.affine:
        bias = bias + _exact(bn.bias)
    weight = _exact(conv.weight) * scale[:, None, None, None]
    folded = copy.deepcopy(conv).eval()
    folded.weight = nn.Parameter(weight.to(conv.weight), conv.weight.requires_grad)
    folded.bias = nn.Parameter(bias.to(conv.weight), conv.weight.requires_grad)
    return folded


def fold_batch_norms(model: nn.Module) -> nn.Module:
    """Copy a model, with the batch normalizations behind its convolutions folded into them.

    Folded are the pairs of which it is certain: the two layers are called once each, the
    result of the convolution goes to the normalization and nowhere else, nobody reads their
    parameters from outside, and `fold_batch_norm` takes them. In the copy, the new
    convolution stands for the old one, and an ``nn.Identity`` for the normalization. Other
    normalizations stay as they are, for example one that comes before its convolution.

    Parameters
    ----------
    model : nn.Module
        In evaluation; not changed.

    Returns
    -------
    nn.Module
        A copy that shares no tensor with `model` and computes the same up to rounding.

    Raises
    ------
    ValueError
        If `model` or a batch normalization in it is in training mode, or `torch.fx` cannot
        follow the tensors through the model, or the model's code would do something else
        in the copy.

    Notes
    -----
    A call with the required arguments is looked at, and code that decides by the Python
    type of a tensor is not understood; see `convlab.nn.tracing.Calls`.

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
    >>> fold_batch_norms(model.eval())
    Sequential(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
      (1): Identity()
      (2): ReLU()
    )
    """
    for name, module in model.named_modules():
        if module.training and (module is model or isinstance(module, _BatchNorm)):
            raise ValueError(
                f"{name or 'the model'} is in training mode, where batch normalization uses the "
                f"statistics of each batch, which cannot be folded: call model.eval() first"
            )
    calls = Calls(model, _LAYERS)
    copied = copy.deepcopy(model)
    for call in calls.graph.nodes:
        reader = _normalization_to_fold(calls, call)
        if reader is not None:
            conv, bn = (copied.get_submodule(str(node.target)) for node in (call, reader))
            _replace(copied, conv, fold_batch_norm(conv, bn))  # type: ignore[type-var, arg-type]
            _replace(copied, bn, nn.Identity().eval())
    # The copy runs the model's own code, which could ask what kind of layer it has.
    if Calls(copied, _LAYERS).steps() != calls.steps():
        raise ValueError(
            f"cannot fold: the code of {type(model).__name__} does something else when its "
            f"batch normalizations are replaced by nn.Identity"
        )
    return copied


def redundant_biases(model: nn.Module, input: Tensor) -> dict[str, int]:
    """Find the biases that batch normalization subtracts again.

    The bias of a convolution raises a whole channel by one number. Batch normalization
    subtracts the mean of the channel, and that number with it: in training the bias changes
    nothing behind the normalization, and its gradient is 0 up to rounding. Where the result
    of a layer goes to batch normalizations and nowhere else, ``bias=False`` saves it.

    Parameters
    ----------
    model : nn.Module
        In either mode; not changed. It is looked at as it runs in training.
    input : Tensor
        One that the model takes. Only its shape matters; a batch of one image will do.

    Returns
    -------
    dict of str to int
        For each ``nn.Conv2d``, ``convlab.nn.Conv2d`` or ``nn.Linear`` with such a bias: its
        name in the model, and how many numbers the bias has.

    Raises
    ------
    ValueError
        If `torch.fx` cannot follow the tensors through the model.

    Notes
    -----
    A frozen normalization, kept in evaluation while the rest trains, subtracts a fixed mean
    instead: before such a one a bias counts. Frozen is what ``model.train()`` leaves in
    evaluation.

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 3))
    >>> redundant_biases(model, torch.zeros(1, 3, 8, 8))
    {'0': 8}
    """
    calls = Calls(model, _LAYERS, training=True)
    frozen = {id(m) for m in calls.root.modules() if _uses_fixed_statistics(m)}
    # The same calls, but run in evaluation, where a batch of one is enough.
    ranks = _Ranks(fx.GraphModule(calls.root, calls.graph).eval())
    with torch.no_grad():
        ranks.run(input)
    found = {}
    for name, layer in calls.root.named_modules():
        bias = getattr(layer, "bias", None)
        if bias is None or not _is_plain(layer, (*_CONVOLUTIONS, nn.Linear)):
            continue
        made = calls.of(layer)
        readers = [calls.layer(reader) for call in made for reader in call.users]
        # A Linear adds along the last axis, a normalization subtracts along the second.
        same_axis = all(ranks.of[call.name] == layer.weight.ndim for call in made)
        normalized = all(_is_plain(r, (_BatchNorm,)) and id(r) not in frozen for r in readers)
        if readers and same_axis and normalized and calls.is_private(layer):
            found[name] = bias.numel()
    return found


class _Ranks(fx.Interpreter):
    """Runs a graph and keeps the number of axes of every tensor in it."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.of: dict[str, int] = {}

    def run_node(self, n: fx.Node) -> object:
        """Run one step."""
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.of[n.name] = result.ndim
        return result


def _uses_fixed_statistics(module: nn.Module) -> bool:
    known = isinstance(module, _BatchNorm) and module.running_mean is not None
    return known and not module.training


def _normalization_to_fold(calls: Calls, call: fx.Node) -> fx.Node | None:
    """Find the call of the normalization that can be folded into a call, if this is certain."""
    conv, readers = calls.layer(call), list(call.users)
    if not _is_plain(conv, _CONVOLUTIONS) or len(readers) != 1:
        return None
    bn = calls.layer(readers[0])
    if not _is_plain(bn, (nn.BatchNorm2d,)) or bn.running_mean is None:
        return None
    alone = all(len(calls.of(layer)) == 1 and calls.is_private(layer) for layer in (conv, bn))
    return readers[0] if alone else None


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Put one module in the place of another, under every name that it has."""
    for name, module in list(model.named_modules(remove_duplicate=False)):
        if module is old:
            parent, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(parent), attribute, new)


def _is_plain(layer: nn.Module | None, kinds: _Kinds) -> TypeGuard[nn.Module]:
    """Say whether a layer is of one of the kinds and computes what that kind computes."""
    return layer is not None and _objection(layer, "layer", kinds) is None


def _objection(layer: nn.Module, name: str, kinds: _Kinds) -> Exception | None:
    """Say what keeps a layer from being understood as one of the kinds."""
    kind = next((kind for kind in kinds if isinstance(layer, kind)), None)
    if kind is None:
        wanted = " or ".join(f"{k.__module__.partition('.')[0]}.nn.{k.__name__}" for k in kinds)
        return TypeError(f"{name} must be a {wanted}, got {type(layer).__name__}")
    for method in ("forward", "_conv_forward"):
        own = method in vars(layer)
        if own or getattr(type(layer), method, None) is not getattr(kind, method, None):
            return TypeError(
                f"{name} is a {type(layer).__name__}, which replaces {method} of {kind.__name__}: "
                f"what it computes is not known"
            )
    if layer._forward_hooks or layer._forward_pre_hooks or parametrize.is_parametrized(layer):
        return ValueError(
            f"{name} has hooks or parametrizations, which may change what it computes: remove them "
            f"first (torch.nn.utils.parametrize.remove_parametrizations makes a weight fixed)"
        )
    return None


def _exact(tensor: Tensor) -> Tensor:
    """Take a parameter or buffer to float64, outside of autograd and of any accelerator."""
    return tensor.detach().to("cpu", torch.float64)
