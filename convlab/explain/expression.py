"""Find the call that failed in code outside modules, from the position of the failing expression.

The operands are looked up, not computed again: names, attributes of modules, constants, and tuples
and lists of these. Where an operand is anything else, nothing is returned.
"""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
from collections.abc import Callable
from inspect import CO_OPTIMIZED
from itertools import islice
from types import FrameType, ModuleType, TracebackType
from typing import Any

import torch
from torch import Tensor, nn

_OPERATORS: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: torch.add,
    ast.Sub: torch.sub,
    ast.Mult: torch.mul,
    ast.Div: torch.div,
    ast.MatMult: torch.matmul,
}
_CONSTANTS = (int, float, bool, str, type(None))


class NotALookupError(Exception):
    """Raised for an operand that would have to be computed."""


def failing_call(
    traceback: TracebackType,
) -> tuple[Callable[..., Any], list[Any], dict[str, Any]] | None:
    """Return function and arguments of the call of PyTorch that failed in the innermost frame.

    None if they cannot be looked up, and for Python 3.10, whose tracebacks have no positions.
    """
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    source = _expression(frame, traceback.tb_lasti)
    if source is None:
        return None
    try:
        node = ast.parse(source.strip()).body[0]
        return _call(node.value if isinstance(node, ast.Expr) else node, frame)
    except (SyntaxError, IndexError, NotALookupError):
        return None


def _expression(frame: FrameType, instruction: int) -> str | None:
    positions = getattr(frame.f_code, "co_positions", None)
    if positions is None:
        return None
    unknown = (None,) * 4
    first, last, start, end = next(islice(positions(), instruction // 2, None), unknown)
    if first is None or last is None or start is None or end is None:
        return None
    lines = [linecache.getline(frame.f_code.co_filename, i) for i in range(first, last + 1)]
    encoded = [line.encode() for line in lines]  # the positions count bytes
    if not encoded or not encoded[-1]:
        return None
    encoded[-1] = encoded[-1][:end]
    encoded[0] = encoded[0][start:]
    text = b"".join(encoded).decode()
    return text if first == last else f"({textwrap.dedent(text)})"


def _call(
    node: ast.AST, frame: FrameType
) -> tuple[Callable[..., Any], list[Any], dict[str, Any]] | None:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        operands = [_value(node.left, frame), _value(node.right, frame)]
        return _OPERATORS[type(node.op)], operands, {}
    if isinstance(node, ast.AugAssign) and type(node.op) in _OPERATORS:
        operands = [_value(node.target, frame), _value(node.value, frame)]
        return _OPERATORS[type(node.op)], operands, {}
    if not isinstance(node, ast.Call):
        return None
    args = [_value(argument, frame) for argument in node.args]
    kwargs = {str(word.arg): _value(word.value, frame) for word in node.keywords}
    if isinstance(node.func, ast.Attribute):
        owner = _value(node.func.value, frame)
        if type(owner) in (Tensor, nn.Parameter):
            args = [owner, *args]
            function = getattr(Tensor, node.func.attr, None)
        else:
            function = _value(node.func, frame)
    else:
        function = _value(node.func, frame)
    module = str(getattr(function, "__module__", None) or "torch")
    if not callable(function) or isinstance(function, type | nn.Module):
        return None
    return (function, args, kwargs) if module.partition(".")[0] == "torch" else None


def _value(node: ast.AST, frame: FrameType) -> Any:
    if isinstance(node, ast.Name):
        for names in (_local_variables(frame), frame.f_globals):
            if node.id in names:
                return names[node.id]
    elif isinstance(node, ast.Constant) and isinstance(node.value, _CONSTANTS):
        return node.value
    elif isinstance(node, ast.Tuple | ast.List):
        values = [_value(element, frame) for element in node.elts]
        return tuple(values) if isinstance(node, ast.Tuple) else values
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _value(node.operand, frame)
        if isinstance(number, int | float):
            return -number
    elif isinstance(node, ast.Attribute):
        return _attribute(_value(node.value, frame), node.attr)
    raise NotALookupError


def _local_variables(frame: FrameType) -> dict[str, Any]:
    """Return the local variables, and leave none alive that the code of the frame deletes later.

    Until Python 3.13, the frame of a function keeps a dictionary of them once it was asked for.
    """
    kept = frame.f_locals
    names = dict(kept)
    # The frame, the name above, and the argument: nobody else uses it.
    if frame.f_code.co_flags & CO_OPTIMIZED and type(kept) is dict and sys.getrefcount(kept) <= 3:
        code = frame.f_code
        for name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
            kept.pop(name, None)
    return names


def _attribute(owner: Any, name: str) -> Any:
    """Look an attribute up without running code of its class."""
    tables = [owner.__dict__] if isinstance(owner, ModuleType | nn.Module) else []
    if isinstance(owner, nn.Module):
        tables += [owner._parameters, owner._buffers, owner._modules]
    for table in tables:
        if name in table:
            return table[name]
    raise NotALookupError
