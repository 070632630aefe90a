"""Which layer reads what another has made: a model as a graph of calls.

`torch.fx` runs the model's own Python code on a stand-in that records what is done with
it. Code that would have to know the numbers ("if the mean is above 0") cannot go on and
is refused, so that a graph which exists holds for every input of the kind.
"""

from __future__ import annotations

import copy
import inspect
from collections import Counter
from typing import Any

from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode


class Calls:
    """The calls of a model's layers, and who reads their results.

    Parameters
    ----------
    model : nn.Module
        It is not changed.
    layers : tuple of types
        Kinds of layers to see as one call each, whatever they do inside; those of
        `torch.nn` are always.
    training : bool, optional
        Whether to look at it as in training or as in evaluation; else in its own mode.

    Attributes
    ----------
    root : nn.Module
        A copy of the model that has the same ``Parameter`` objects.
    graph : torch.fx.Graph
        The calls in `root`.

    Raises
    ------
    ValueError
        If `torch.fx` cannot follow the tensors through the model.

    Notes
    -----
    What is recorded is a call with the required arguments only; an optional argument of the
    model's ``forward`` has its default. The stand-in is no ``Tensor``, so code that asks
    ``isinstance(x, Tensor)`` goes the other way than it does with numbers.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: tuple[type[nn.Module], ...] = (),
        training: bool | None = None,
    ) -> None:
        # Tracing may leave constants in what it traces, and a run may change buffers.
        self.root = copy.deepcopy(model, {id(p): p for p in model.parameters()})
        if training is not None:
            self.root.train(training)
        reads = _Reads()
        try:
            with reads:
                self.graph = _Tracer(layers).trace(self.root, _optional_arguments(model))
        except Exception as error:  # whatever the model's code does with the stand-in
            raise ValueError(
                f"cannot follow the tensors through {type(model).__name__}: its code wants to "
                f"know more than which layer comes after which ({error})"
            ) from error
        self._of: dict[int, list[fx.Node]] = {}
        for node in self.graph.nodes:
            if node.op == "call_module":
                self._of.setdefault(id(self.layer(node)), []).append(node)
        read = [str(node.target) for node in self.graph.nodes if node.op == "get_attr"]
        holders = Counter(id(tensor) for layer in self.root.modules() for tensor in _own(layer))
        self._public = reads.tensors | {id(_attribute(self.root, target)) for target in read}
        self._public |= {tensor for tensor, count in holders.items() if count > 1}

    def layer(self, node: fx.Node) -> nn.Module | None:
        """Give the layer that a node calls, or None where it does something else."""
        return self.root.get_submodule(str(node.target)) if node.op == "call_module" else None

    def of(self, layer: nn.Module) -> list[fx.Node]:
        """List the calls of a layer of `root`."""
        return self._of.get(id(layer), [])

    def is_private(self, layer: nn.Module) -> bool:
        """Say whether nobody but the layer itself reads its parameters and buffers."""
        return not self._public & {id(tensor) for tensor in _own(layer)}

    def steps(self) -> list[tuple[str, ...]]:
        """Write the graph down, so that two can be compared."""
        return [
            (node.op, str(node.target), str(node.args), str(node.kwargs))
            for node in self.graph.nodes
        ]


class _Tracer(fx.Tracer):
    proxy_buffer_attributes = True  # so that reading a running mean by hand is recorded

    def __init__(self, layers: tuple[type[nn.Module], ...]) -> None:
        super().__init__()
        self._layers = layers

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, self._layers) or super().is_leaf_module(m, module_qualified_name)


class _Reads(TorchFunctionMode):
    """Notes the tensors that code computes with behind the back of the stand-in.

    Such is ``sum(p.norm() for p in self.parameters())``: its result is one of the constants
    of a graph.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tensors: set[int] = set()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        fx.node.map_aggregate((args, kwargs), self._note)
        return func(*args, **(kwargs or {}))

    def _note(self, argument: Any) -> Any:
        if isinstance(argument, Tensor):
            self.tensors.add(id(argument))
        return argument


def _own(layer: nn.Module) -> list[Tensor]:
    return [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]


def _optional_arguments(model: nn.Module) -> dict[str, Any]:
    parameters = inspect.signature(model.forward).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _attribute(root: nn.Module, target: str) -> Tensor:
    found: Any = root
    for name in target.split("."):
        found = getattr(found, name)
    tensor: Tensor = found
    return tensor
