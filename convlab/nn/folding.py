"""Fold batch normalization into convolutions, and find biases that it makes redundant.

`fold_model` and `redundant_biases` trace the model by `torch.fx`, which runs its code on a symbolic
tensor and records each call. Code whose path depends on the values of a tensor ("if the mean is
above 0") raises an error, so a graph is valid for every input.
"""

from __future__ import annotations

import inspect
from collections import Counter
from operator import attrgetter
from typing import Any, TypeGuard, TypeVar

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize
from torch.overrides import TorchFunctionMode

from convlab._model_state import copy_model
from convlab.nn.layer import Conv2d

_Classes = tuple[type[nn.Module], ...]

ConvT = TypeVar("ConvT", nn.Conv2d, Conv2d)
_CONVOLUTIONS: _Classes = (nn.Conv2d, Conv2d)
_NORMALIZATIONS: _Classes = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_LAYERS = (*_CONVOLUTIONS, _BatchNorm)


def fold_conv_bn(conv: ConvT, bn: nn.BatchNorm2d) -> ConvT:
    """Fold a batch normalization into the convolution before it.

    In evaluation mode, batch normalization multiplies each channel by a constant,
    ``scale = bn.weight / sqrt(bn.running_var + bn.eps)``, and adds another. So the weights of each
    kernel are multiplied by its scale, and its bias becomes
    ``(bias - bn.running_mean) * scale + bn.bias``, computed in float64 and rounded once to the
    dtype of the convolution.

    Parameters
    ----------
    conv : torch.nn.Conv2d or convlab.nn.Conv2d
        With any arguments; not changed. A missing bias counts as 0.
    bn : torch.nn.BatchNorm2d
        In evaluation mode, with running statistics; not changed. A missing weight counts as 1, a
        missing bias as 0.

    Returns
    -------
    torch.nn.Conv2d or convlab.nn.Conv2d
        A new layer of the class of `conv` with the same arguments, and a bias. It is in
        evaluation mode, and for every input ``folded(x)`` is ``bn(conv(x))`` up to rounding.

    Raises
    ------
    TypeError
        If `conv` or `bn` has another class, or one that overrides ``forward``.
    ValueError
        If the channel counts differ, `bn` is in training mode or has no running statistics,
        or one of the two has hooks or parametrizations.

    Notes
    -----
    Source: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference" (2018), section 3.2. PyTorch's own is
    ``torch.nn.utils.fusion.fuse_conv_bn_eval``, which computes in the dtype of the layer.

    Examples
    --------
    >>> conv, bn = nn.Conv2d(1, 1, 1, bias=False), nn.BatchNorm2d(1, eps=0).eval()
    >>> _ = nn.init.constant_(conv.weight, 6)
    >>> bn.running_mean[0], bn.running_var[0] = 10, 4
    >>> folded = fold_conv_bn(conv, bn)  # (6x - 10) / 2
    >>> folded.weight.item(), folded.bias.item()
    (3.0, -5.0)
    """
    for name, layer, classes in (("conv", conv, _CONVOLUTIONS), ("bn", bn, (nn.BatchNorm2d,))):
        error = _foldability_error(layer, name, classes)
        if error:
            raise error
    if conv.out_channels != bn.num_features:
        raise ValueError(
            f"conv has {conv.out_channels} output channels, but bn normalizes {bn.num_features}: "
            f"the two numbers must be equal"
        )
    if bn.training:
        raise ValueError(
            "bn is in training mode, where it normalizes each batch by that batch's own mean "
            "and variance, so there are no fixed numbers to fold: call bn.eval() first"
        )
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError(
            "bn has no running statistics (track_running_stats=False): it normalizes each "
            "batch by its own mean and variance, in evaluation mode too, so there are no fixed "
            "numbers to fold"
        )
    mean, variance = _to_float64(bn.running_mean), _to_float64(bn.running_var)
    scale = (variance + bn.eps).rsqrt()
    if bn.weight is not None:
        scale = scale * _to_float64(bn.weight)
    bias = -mean if conv.bias is None else _to_float64(conv.bias) - mean
    bias = bias * scale
    if bn.bias is not None:
        bias = bias + _to_float64(bn.bias)
    weight = _to_float64(conv.weight) * scale[:, None, None, None]
    folded = copy_model(conv).eval()
    folded.weight = nn.Parameter(weight.to(conv.weight), conv.weight.requires_grad)
    folded.bias = nn.Parameter(bias.to(conv.weight), conv.weight.requires_grad)
    return folded


def fold_model(model: nn.Module) -> nn.Module:
    """Copy a model and fold its batch normalizations into the convolutions before them.

    A pair is folded only if the result is certain to be the same: each of the two layers is
    called once, the output of the convolution goes to the normalization alone (and is not stored
    in the model), no other code reads their parameters or changes their settings, and
    `fold_conv_bn` accepts them. An ``nn.Identity`` then replaces the
    normalization. Other normalizations stay, such as one that comes before its convolution. What is
    inside a module with hooks stays, too: a hook may see or change all of it.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode; not changed. The copy shares no tensor with it. Hooks are copied, and
        not run; those of `model` itself see the input and, up to rounding, the output as before.

    Raises
    ------
    ValueError
        If `model` or a batch normalization in it is in training mode, the model cannot be copied
        or traced by `torch.fx`, or its code takes another path in the copy.

    Notes
    -----
    Optional arguments of ``forward`` are traced with their defaults. The symbolic tensor is not a
    ``Tensor``, so code that checks ``isinstance(x, Tensor)`` takes another path than it does with
    numbers.

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
    >>> fold_model(model.eval())
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
    graph = _CallGraph(model)
    folded = copy_model(model)
    for call in graph.nodes:
        bn_call = _foldable_normalization(graph, call)
        if bn_call is not None:
            conv, bn = (folded.get_submodule(str(node.target)) for node in (call, bn_call))
            _replace_module(folded, conv, fold_conv_bn(conv, bn))  # type: ignore[type-var, arg-type]
            _replace_module(folded, bn, nn.Identity().eval())
    # The copy runs the model's own code, which may depend on the classes of its layers.
    if _CallGraph(folded).steps() != graph.steps():
        raise ValueError(
            f"cannot fold: the code of {type(model).__name__} takes another path when its batch "
            f"normalizations are replaced by nn.Identity"
        )
    return folded


def redundant_biases(model: nn.Module, input: Tensor) -> dict[str, int]:
    """Find the biases that a following batch normalization cancels.

    The bias of a convolution adds a constant to a whole channel, and batch normalization subtracts
    it again with the channel's mean: in training, the bias has no effect, and its gradient is 0 up
    to rounding. Where the output of a layer goes to batch normalizations alone, ``bias=False``
    saves these parameters.

    Parameters
    ----------
    model : nn.Module
        In either mode; not changed. It is examined as in training. Its hooks are not run, and what
        is inside a module with hooks is not examined.
    input : Tensor
        A valid input. Only its shape matters; a batch of one image is enough.

    Returns
    -------
    dict of str to int
        The name of each ``nn.Conv2d``, ``convlab.nn.Conv2d`` or ``nn.Linear`` with such a bias,
        and the bias's number of elements.

    Raises
    ------
    ValueError
        If the model cannot be copied, or `torch.fx` cannot trace it.

    Notes
    -----
    A frozen normalization, one that ``model.train()`` leaves in evaluation mode, subtracts a
    fixed mean: a bias before it is not redundant.

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 3))
    >>> redundant_biases(model, torch.zeros(1, 3, 8, 8))
    {'0': 8}
    """
    graph = _CallGraph(model, training=True)
    modules = list(graph.root.modules())
    norms = [
        m for m in modules if _is_exactly(m, _NORMALIZATIONS) and not _uses_fixed_statistics(m)
    ]
    # The same calls, but run in evaluation mode, where a batch of one is enough.
    ranks = _Ranks(fx.GraphModule(graph.root, graph.graph).eval())
    for module in modules:
        module._forward_pre_hooks.clear()
        module._forward_hooks.clear()
    with torch.no_grad():
        ranks.run(input)
    redundant = {}
    for name, layer in graph.root.named_modules():
        bias = getattr(layer, "bias", None)
        if bias is None or not _is_exactly(layer, (*_CONVOLUTIONS, nn.Linear)):
            continue
        calls = graph.calls_of(layer)
        readers = [graph.layer(reader) for call in calls for reader in call.users]
        # A Linear adds its bias along the last axis, a normalization subtracts along the second.
        same_axis = all(ranks.by_name[call.name] == layer.weight.ndim for call in calls)
        normalized = all(reader in norms for reader in readers)
        isolated = graph.is_private(layer) and graph.stored.isdisjoint(calls)
        if readers and same_axis and normalized and isolated:
            redundant[name] = bias.numel()
    return redundant


class _CallGraph:
    """The graph of a model's layer calls, recorded by `torch.fx`.

    Attributes
    ----------
    root : nn.Module
        A copy of the model that has the same ``Parameter`` objects; in the mode of the model if
        `training` is None.
    graph : torch.fx.Graph
        The calls in `root`. Convolutions, normalizations and modules with hooks are one call each.

    Raises ValueError if the model cannot be traced.
    """

    def __init__(self, model: nn.Module, training: bool | None = None) -> None:
        # Tracing may store constants in what it traces, and a run may change buffers.
        self.root = copy_model(model, {id(p): p for p in model.parameters()})
        if training is not None:
            self.root.train(training)
        recorder, tracer = _TensorReads(), _Tracer()
        # Code may store symbolic tensors in its modules, or change settings of a layer.
        stores = [(d, dict(d)) for m in self.root.modules() for d in (vars(m), m._buffers)]
        tracer.settings = {
            id(m): _settings(m) for m in self.root.modules() if isinstance(m, _LAYERS)
        }
        try:
            with recorder:
                self.graph = tracer.trace(self.root, _optional_arguments(model))
        except Exception as error:  # the model's code may raise anything
            raise ValueError(
                f"torch.fx cannot trace {type(model).__name__}, probably because its code depends "
                f"on the values of a tensor, or is wrapped by torch.compile, torch.jit or "
                f"DataParallel: {error}"
            ) from error
        self.stored: set[fx.Node] = set()
        for current, before in stores:
            for key, value in current.items():
                fx.node.map_aggregate(value, self._record_stored)
                if isinstance(value, fx.Proxy) and key in before:
                    current[key] = before[key]
        self.nodes = list(self.graph.nodes)
        self._calls: dict[int, list[fx.Node]] = {}
        for node in self.nodes:
            if node.op == "call_module":
                self._calls.setdefault(id(self.layer(node)), []).append(node)
        attributes = [str(node.target) for node in self.nodes if node.op == "get_attr"]
        hooked = [m for m in self.root.modules() if _has_hooks(m) and m is not self.root]
        owners = Counter(id(x) for layer in self.root.modules() for x in _own_tensors(layer))
        self._changed = tracer.changed
        self._shared = recorder.tensors | {id(attrgetter(name)(self.root)) for name in attributes}
        self._shared |= {tensor for tensor, count in owners.items() if count > 1}
        self._shared |= {id(x) for m in hooked for x in (*m.parameters(), *m.buffers())}

    def layer(self, node: fx.Node) -> nn.Module | None:
        """Return the layer that a node calls, or None if it calls something else."""
        return self.root.get_submodule(str(node.target)) if node.op == "call_module" else None

    def calls_of(self, layer: nn.Module) -> list[fx.Node]:
        """Return the calls of a layer of `root`."""
        return self._calls.get(id(layer), [])

    def is_private(self, layer: nn.Module) -> bool:
        """Return whether no other code reads the tensors of a layer or changes its settings."""
        tensors = map(id, _own_tensors(layer))
        return id(layer) not in self._changed and self._shared.isdisjoint(tensors)

    def _record_stored(self, value: Any) -> Any:
        if isinstance(value, fx.Proxy):
            self.stored.add(value.node)
        return value

    def steps(self) -> list[tuple[str, ...]]:
        """Return the graph in a form that can be compared with another one."""
        return [(n.op, str(n.target), str(n.args), str(n.kwargs)) for n in self.nodes]


class _Tracer(fx.Tracer):
    proxy_buffer_attributes = True  # record where code reads a running mean itself

    def __init__(self) -> None:
        super().__init__()
        self.settings: dict[int, dict[str, Any]] = {}  # by the id of the layer, before the trace
        self.changed: set[int] = set()  # layers that were called with other settings

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        one_call = isinstance(m, _LAYERS) or _has_hooks(m)
        return one_call or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        """Trace a call, past the hooks that PyTorch runs for every module."""
        if isinstance(m, _LAYERS) and _settings(m) != self.settings.get(id(m)):
            self.changed.add(id(m))
        return super().call_module(m, m.forward, args, kwargs)


class _TensorReads(TorchFunctionMode):
    """Record the tensors that code uses without the symbolic tensor.

    One case is ``sum(p.norm() for p in self.parameters())``: its result becomes a constant of
    the graph.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tensors: set[int] = set()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        fx.node.map_aggregate((args, kwargs), self._record)
        return func(*args, **(kwargs or {}))

    def _record(self, argument: Any) -> Any:
        if isinstance(argument, Tensor):
            self.tensors.add(id(argument))
        return argument


class _Ranks(fx.Interpreter):
    """Run a graph and record the number of axes of every tensor in it."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.by_name: dict[str, int] = {}

    def run_node(self, n: fx.Node) -> object:
        """Run one node."""
        if n.op == "call_module":
            # Tensors that the code stores in the layer, recorded as symbolic ones.
            attributes = vars(self.fetch_attr(str(n.target)))
            for name, value in attributes.items():
                if isinstance(value, fx.Proxy):
                    attributes[name] = self.env[value.node]
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.by_name[n.name] = result.ndim
        return result


def _has_hooks(module: nn.Module) -> bool:
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )


def _settings(module: nn.Module) -> dict[str, Any]:
    """Return the attributes that are numbers, strings or tuples: ``eps``, ``training`` etc."""
    constants = bool, int, float, str, tuple
    return {key: value for key, value in vars(module).items() if isinstance(value, constants)}


def _own_tensors(layer: nn.Module) -> list[Tensor]:
    return [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]


def _optional_arguments(model: nn.Module) -> dict[str, Any]:
    parameters = inspect.signature(model.forward).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _uses_fixed_statistics(module: nn.Module) -> bool:
    tracked = isinstance(module, _BatchNorm) and module.running_mean is not None
    return tracked and not module.training


def _foldable_normalization(graph: _CallGraph, call: fx.Node) -> fx.Node | None:
    """Return the call of the normalization that can be folded into the convolution of `call`."""
    conv, readers = graph.layer(call), list(call.users)
    if not _is_exactly(conv, _CONVOLUTIONS) or len(readers) != 1 or call in graph.stored:
        return None
    bn = graph.layer(readers[0])
    if not _is_exactly(bn, (nn.BatchNorm2d,)) or bn.running_mean is None:
        return None
    isolated = all(len(graph.calls_of(m)) == 1 and graph.is_private(m) for m in (conv, bn))
    return readers[0] if isolated else None


def _replace_module(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Replace one module by another, under every name that it has."""
    for name, module in list(model.named_modules(remove_duplicate=False)):
        if module is old:
            parent, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(parent), attribute, new)


def _is_exactly(layer: nn.Module | None, classes: _Classes) -> TypeGuard[nn.Module]:
    """Return whether a layer computes exactly what one of the classes computes."""
    return layer is not None and _foldability_error(layer, "layer", classes) is None


def _foldability_error(layer: nn.Module, name: str, classes: _Classes) -> Exception | None:
    """Return an error if a layer may compute something other than one of the classes."""
    cls = next((cls for cls in classes if isinstance(layer, cls)), None)
    if cls is None:
        wanted = " or ".join(f"{c.__module__.partition('.')[0]}.nn.{c.__name__}" for c in classes)
        return TypeError(f"{name} must be a {wanted}, got {type(layer).__name__}")
    for method in ("__call__", "forward", "_conv_forward", "_check_input_dim"):
        on_instance = method in vars(layer)
        if on_instance or getattr(type(layer), method, None) is not getattr(cls, method, None):
            return TypeError(
                f"{name} is a {type(layer).__name__}, which replaces {method} of {cls.__name__}, "
                f"so it may compute something else"
            )
    if _has_hooks(layer) or parametrize.is_parametrized(layer):
        return ValueError(
            f"{name} has hooks or parametrizations, which may change what it computes: remove them "
            f"first (torch.nn.utils.parametrize.remove_parametrizations makes a weight fixed)"
        )
    for key in ("weight", "bias"):
        if key not in layer._parameters:
            return ValueError(
                f"the {key} of {name} is not a parameter: other code may compute it again"
            )
    return None


def _to_float64(tensor: Tensor) -> Tensor:
    """Copy a parameter or buffer to float64 on the CPU, without gradients."""
    return tensor.detach().to("cpu", torch.float64)
