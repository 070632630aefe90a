"""Layers that a command line describes, such as ``Conv2d(3, 64, 7, stride=2)``.

The text is parsed as Python, and nothing in it is evaluated: it may hold the names of `LAYERS`,
numbers, strings, True, False, None, tuples, lists and sums and products of ints. The layers are
built on the meta device, so they take no memory.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import warnings
from typing import Any, NamedTuple

from convlab.cli.errors import CheckFailed, CommandError
from convlab.cli.models import describe_error

_OF_EACH_RANK = (
    "Conv ConvTranspose MaxPool AvgPool LPPool AdaptiveMaxPool AdaptiveAvgPool BatchNorm "
    "InstanceNorm Dropout ZeroPad ConstantPad ReflectionPad ReplicationPad CircularPad"
)
_OTHERS = """
    Sequential Identity Flatten Unflatten Linear Bilinear Embedding MultiheadAttention
    RNN LSTM GRU RNNCell LSTMCell GRUCell
    GroupNorm LayerNorm RMSNorm LocalResponseNorm Dropout AlphaDropout FeatureAlphaDropout
    Upsample UpsamplingNearest2d UpsamplingBilinear2d PixelShuffle PixelUnshuffle ChannelShuffle
    Fold Unfold
    CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax
    Mish PReLU ReLU ReLU6 RReLU SELU SiLU Sigmoid Softmax Softmax2d Softmin Softplus Softshrink
    Softsign Tanh Tanhshrink Threshold
    BCELoss BCEWithLogitsLoss CosineEmbeddingLoss CrossEntropyLoss HuberLoss KLDivLoss L1Loss
    MSELoss NLLLoss PoissonNLLLoss SmoothL1Loss TripletMarginLoss CosineSimilarity PairwiseDistance
"""
# Names in torch.nn. A class that is not among them is never looked up.
LAYERS = frozenset(
    [f"{name}{rank}d" for name in _OF_EACH_RANK.split() for rank in (1, 2, 3)] + _OTHERS.split()
)

_MAX_LENGTH, _MAX_DEPTH, _MAX_LAYERS, _MAX_NUMBER = 10_000, 20, 200, 10**9
_MAX_RECURRENT = 100  # num_layers
_NOTE = "convlab: "  # with which the notes of `explaining` begin
_ONLY_IN_RNN = ("RNN", "nonlinearity")
_FOREIGN = re.compile(r"""[^A-Za-z0-9_.,=()\[\]'"+*/ \t\r\n-]""")
_STRING = re.compile(r"[A-Za-z0-9_-]{0,40}")
_EXAMPLE = "Conv2d(3, 64, 7, stride=2, padding=3)"


def is_layer_text(text: str) -> bool:
    """Return whether a text describes a layer, and is not the name of a model.

    Examples
    --------
    >>> is_layer_text("nn.ReLU()"), is_layer_text("ReLU"), is_layer_text("my_models:net")
    (True, True, False)
    """
    return "(" in text or _layer_name(text.strip()) in LAYERS


class Layer(NamedTuple):
    """A layer that was parsed.

    Attributes
    ----------
    name : str
        One of `LAYERS`.
    arguments, keywords : list and dict
        Its arguments; those of a ``Sequential`` are layers.
    source : str
        Its text, in one line.
    path : str
        Where it is in the outermost ``Sequential``, such as ``"2.0"``; empty for that itself.
    """

    name: str
    arguments: list[Any]
    keywords: dict[str, Any]
    source: str
    path: str


def parse_layer(text: str) -> Layer:
    """Parse the text of a layer; raise CommandError if it is not one.

    Examples
    --------
    >>> layer = parse_layer("nn.Sequential(Flatten(), Linear(8 * 30 * 30, 10, bias=False))")
    >>> layer.arguments[1][:3]
    ('Linear', [7200, 10], {'bias': False})
    """
    text = text.strip().removesuffix(",")  # as in the list that it was copied from
    if len(text) > _MAX_LENGTH:
        raise CommandError(f"the layer has {len(text)} characters, of at most {_MAX_LENGTH}")
    if found := _FOREIGN.search(text):
        raise CommandError(f"a layer is written without {found[0]!r}, for example {_EXAMPLE}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        reason = str(error.msg if isinstance(error, SyntaxError) else error)
        raise CommandError(f"cannot read {shortened(text)} as a layer: {reason}") from None
    except (MemoryError, RecursionError):
        raise CommandError("the layer is nested too deeply") from None
    return _Parser(text).layer(node, "", 0)


def build_layer(layer: Layer) -> Any:
    """Build a layer on the meta device.

    Raises CommandError if a layer does not have these arguments or does not allow them, and
    CheckFailed with the explanation if `convlab.explain` recognizes why it does not.

    Examples
    --------
    >>> build_layer(parse_layer("Sequential(Conv2d(3, 8, 3), nn.ReLU())"))
    Sequential(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
      (1): ReLU()
    )
    """
    import torch
    from torch import nn

    from convlab.explain import explaining

    if layer.name == "Sequential":
        return nn.Sequential(*map(build_layer, layer.arguments))
    described = layer.source if len(layer.source) <= 100 else f"{layer.name}(...)"
    _check_arguments(layer, described)
    try:
        with torch.device("meta"), explaining():
            return getattr(nn, layer.name)(*layer.arguments, **layer.keywords)
    except Exception as error:  # the class raises what it likes
        notes = [str(note) for note in getattr(error, "__notes__", ())]
        explanation = next((note for note in notes if note.startswith(_NOTE)), None)
        if explanation is None:
            reason = describe_error(error).partition("\n")[0]
            raise CommandError(f"{described} cannot be built: {reason}") from None
        where = f"\n  layer {layer.path}: {described}" if layer.path else ""
        raise CheckFailed(explanation.removeprefix(_NOTE) + where) from None


def shortened(text: str) -> str:
    """Return a text in quotes, with escapes for what does not print, and its end left out.

    Examples
    --------
    >>> shortened("Conv2d" + 100 * "(")
    "'Conv2d((((((((((((((((((((((((((((((((((((((((((((((((((((((...'"
    """
    return repr(text if len(text) <= 60 else f"{text[:60]}...")


def _layer_name(name: str) -> str:
    """Return a name without the module ``torch.nn``."""
    return re.sub(r"^(torch\.)?nn\.", "", name)


class _Parser:
    """Parse the layers of one text, and count them."""

    def __init__(self, text: str) -> None:
        self.text, self.count = text, 0

    def layer(self, node: ast.expr, path: str, depth: int) -> Layer:
        """Return a layer, which is at this path in the outermost ``Sequential``."""
        name = self._class(node)
        assert isinstance(node, ast.Call)
        _check_depth(depth)
        self.count += 1
        if self.count > _MAX_LAYERS:
            raise CommandError(f"there are more than {_MAX_LAYERS} layers")
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in keywords:
                problem = "**" if keyword.arg is None else f"{keyword.arg} twice"
                raise CommandError(f"{name} cannot take {problem}")
            keywords[keyword.arg] = self._value(keyword.value, depth + 1)
        arguments: list[Any]
        if name == "Sequential":
            if keywords:
                raise CommandError(f"Sequential takes layers without names, got {[*keywords]}")
            prefix = f"{path}." if path else ""
            arguments = [
                self.layer(child, f"{prefix}{index}", depth + 1)
                for index, child in enumerate(node.args)
            ]
        else:
            arguments = [self._value(value, depth + 1) for value in node.args]
        source = " ".join(str(ast.get_source_segment(self.text, node)).split())
        return Layer(name, arguments, keywords, source, path)

    def _class(self, node: ast.expr) -> str:
        """Return the name of the class that a call names; it is one of `LAYERS`."""
        function = node.func if isinstance(node, ast.Call) else node
        parts: list[str] = []
        while isinstance(function, ast.Attribute):
            parts.insert(0, function.attr)
            function = function.value
        if not isinstance(function, ast.Name):
            raise CommandError(f"expected a layer such as {_EXAMPLE}, got {self._source(node)}")
        full_name = ".".join([function.id, *parts])
        name = _layer_name(full_name)
        if name not in LAYERS:
            close = difflib.get_close_matches(name[:40], sorted(LAYERS), n=3)
            hint = f": did you mean {' or '.join(close)}?" if close else ""
            if "." in full_name and not close:
                hint = "; a model of a module is named package.module:name"
            raise CommandError(f"there is no layer {shortened(full_name)}{hint}")
        if not isinstance(node, ast.Call):
            raise CommandError(f"write {name} with its arguments, {name}(...), as {_EXAMPLE}")
        return name

    def _source(self, node: ast.expr) -> str:
        return shortened(str(ast.get_source_segment(self.text, node)))

    def _value(self, node: ast.expr, depth: int) -> Any:
        """Return the value of an argument."""
        _check_depth(depth)
        if isinstance(node, ast.Tuple | ast.List):
            values = [self._value(element, depth + 1) for element in node.elts]
            return tuple(values) if isinstance(node, ast.Tuple) else values
        if isinstance(node, ast.Constant):
            return self._checked(node.value, node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            value = self._value(node.operand, depth + 1)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            left, right = (self._value(side, depth + 1) for side in (node.left, node.right))
            if type(left) is type(right) is int:
                return self._checked(self._computed(node, left, right), node)
        if isinstance(node, ast.Name):
            raise CommandError(f"an argument {shortened(node.id)} is a string: put it in quotes")
        raise CommandError(
            f"the arguments of a layer are numbers, strings, True, False, None, tuples and lists, "
            f"got {self._source(node)}"
        )

    def _checked(self, value: Any, node: ast.expr) -> Any:
        """Return a value within the limits."""
        if isinstance(value, int | float) and not abs(value) <= _MAX_NUMBER:  # NaN too
            raise CommandError(f"a number may be up to {_MAX_NUMBER}, got {self._source(node)}")
        if isinstance(value, str) and not _STRING.fullmatch(value):
            raise CommandError(f"an argument cannot be {shortened(value)}")
        if isinstance(value, bytes | complex) or value is ...:
            raise CommandError(f"an argument cannot be {self._source(node)}")
        return value

    def _computed(self, node: ast.BinOp, left: int, right: int) -> int:
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.FloorDiv) and right:
            return left // right
        raise CommandError(f"only +, -, * and // compute ints, got {self._source(node)}")


def _check_depth(depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise CommandError(f"the layer is nested more than {_MAX_DEPTH} deep")


def _check_arguments(layer: Layer, described: str) -> None:
    """Raise CommandError if a layer does not have arguments of these names."""
    from torch import nn

    name, arguments, keywords = layer.name, layer.arguments, layer.keywords
    recurrent = [name] if name in ("RNN", "LSTM", "GRU") else []  # first argument of RNNBase
    signature = inspect.signature(nn.RNNBase if recurrent else getattr(nn, name))
    known = {key: value for key, value in keywords.items() if (name, key) != _ONLY_IN_RNN}
    try:
        bound = signature.bind(*recurrent, *arguments, **known).arguments
    except TypeError as error:
        names = [x for x in signature.parameters if x not in ("mode", "device", "dtype")]
        raise CommandError(f"{described}: {error}; the arguments are {', '.join(names)}") from None
    for argument in ("device", "dtype"):
        if argument in bound or argument in keywords:
            raise CommandError(f"{described}: leave out {argument}")
    count = bound.get("num_layers", 1)
    if isinstance(count, int) and count > _MAX_RECURRENT:
        raise CommandError(f"{described}: num_layers may be up to {_MAX_RECURRENT}, got {count}")
