"""Watch the calls of PyTorch's functions in a block, and warn of silent mistakes."""

from __future__ import annotations

import sys
import sysconfig
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any, NamedTuple
from weakref import ref

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, handle_torch_function

from convlab.explain.silent import (
    RULES,
    Mistake,
    SilentMistakeWarning,
    batch_as_channels,
    find_mistake,
    is_distance,
    is_total,
    maps_broadcast,
)

_untyped: Any = torch  # for functions without types, most of them private
_COLLATE = "torch.utils.data._utils.collate"
# What a batch usually goes through on its way to the model.
_KEEPS_BATCH = {
    "add", "clone", "contiguous", "cpu", "cuda", "div", "double", "float", "half", "mul",
    "pin_memory", "sub", "to",
}  # fmt: skip
Place = tuple[str, str, int]  # name of the mistake, file, line
Line = tuple[str, int, str]  # file, number, module
_STANDARD_LIBRARY = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))


def _call(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return func(*args, **kwargs)


class Difference(NamedTuple):
    """A difference that expands both operands, its square or its absolute value."""

    tensor: ref[Tensor]
    mistake: Mistake
    line: Line
    is_distance: bool


class Watch(TorchFunctionMode):
    """Warn of silent mistakes in the calls of this thread.

    Attributes
    ----------
    depth : int
        Number of blocks that are open.
    batches : dict
        Weak references to the batches (N, H, W) that a DataLoader has stacked, by their id.
    differences : dict
        The differences that may be mistakes, by the id of the tensor.
    callers : dict
        By file and line: the function `_call` in their name.
    places : set
        The places that have been warned of.
    """

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.batches: dict[int, ref[Tensor]] = {}
        self.differences: dict[int, Difference] = {}
        self.callers: dict[tuple[str, int], Callable[..., Any]] = {}
        self.places: set[Place] = set()

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if torch.compiler.is_compiling():  # nothing else is traced
            return func(*args, **(kwargs or {}))
        result = self._caller()(func, args, kwargs or {})
        try:
            watched = func in RULES or func is torch.stack or self.batches or self.differences
            # In a graph break, torch.compile would compile the rules.
            compiles = watched and _untyped._C._dynamo.eval_frame.get_eval_frame_callback()
            found = (
                self._mistake(func, args, kwargs or {}, result)
                if watched and compiles is None
                else None
            )
        except Exception:  # must not become an error of the block
            found = None
        if found is not None:
            _warn(*found, self.places)
        return result

    def _caller(self) -> Callable[..., Any]:
        """Return `_call` in the name of the line that calls PyTorch.

        Warnings of PyTorch then name this line, as they do without the watch, and are shown once
        for each line, not once for the watch.
        """
        try:
            frame = sys._getframe(2)
            if frame.f_code is handle_torch_function.__code__:  # of a function written in Python
                frame = frame.f_back.f_back  # type: ignore[union-attr,assignment]
            key = (frame.f_code.co_filename, frame.f_lineno)
            caller = self.callers.get(key)
            if caller is None:
                code = _code_at(*key)
                _skip_in_dynamo(code)
                self.callers[key] = caller = FunctionType(code, frame.f_globals)
        except Exception:  # must not become an error of the block
            return _call
        return caller

    def _mistake(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> tuple[Mistake, Line | None] | None:
        if _untyped.jit.is_tracing():  # a trace records that a shape is read
            return None
        first: Any = args[0] if args else kwargs.get("input")
        with torch._C.DisableTorchFunction():  # other modes do not see that it is
            if func is torch.stack:
                caller = sys._getframe(2)
                stacks = caller.f_globals.get("__name__") == _COLLATE
                if stacks and result.dim() == 3 and type(result) is Tensor and _has_labels(caller):
                    self._remember(result)
            elif self.batches and self._is_batch(first):
                if func is torch.conv2d and first.dim() == 3:
                    return batch_as_channels(tuple(first.shape)), _readers_line()
                if getattr(func, "__name__", "") in _KEEPS_BATCH and type(result) is Tensor:
                    self._remember(result)
            if self.differences:
                known = self._difference(first)
                if known is not None and known.is_distance and is_total(func, args, kwargs):
                    return known.mistake, known.line
                if known is not None and not known.is_distance and is_distance(func, args, kwargs):
                    known = known._replace(tensor=ref(result), is_distance=True)
                    self.differences[id(result)] = known
            mistake = find_mistake(func, args, kwargs) if func in RULES else None
        if mistake is None:
            return None
        line = _readers_line()
        if RULES[func] is not maps_broadcast:
            return mistake, line
        if line is not None:
            self.differences[id(result)] = Difference(ref(result), mistake, line, False)
        return None

    def _difference(self, value: Any) -> Difference | None:
        for key in [key for key, known in self.differences.items() if known.tensor() is None]:
            del self.differences[key]
        return self.differences.get(id(value))

    def _remember(self, batch: Tensor) -> None:
        for key in [key for key, known in self.batches.items() if known() is None]:
            del self.batches[key]
        self.batches[id(batch)] = ref(batch)

    def _is_batch(self, value: Any) -> bool:
        known = self.batches.get(id(value))
        return known is not None and known() is value


def _has_labels(frame: FrameType | None) -> bool:
    """Return whether a DataLoader stacks one part of items that have a number each as well."""
    while frame is not None and frame.f_globals.get("__name__") == _COLLATE:
        item = next(iter(frame.f_locals.get("batch", ())), None)
        if isinstance(item, dict | tuple | list):
            parts = item.values() if isinstance(item, dict) else item
            return any(_is_number(part) for part in parts)
        frame = frame.f_back
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or getattr(value, "shape", None) == ()


@lru_cache(maxsize=4096)
def _code_at(path: str, line: int) -> CodeType:
    """Return the code of `_call` in the name of a line."""
    return _call.__code__.replace(co_filename=path, co_firstlineno=line - 1)


def _skip_in_dynamo(code: CodeType) -> None:
    """Let torch.compile run code as it is where it does not trace it, in a graph break."""
    dynamo: Any = sys.modules.get("torch._dynamo.eval_frame")
    if dynamo is None:
        return
    with suppress(AttributeError):  # private: may move
        for own in (code, Watch.__torch_function__.__code__):
            dynamo.skip_code(own)


def without_watch(entry: TracebackType) -> TracebackType | None:
    """Return what would follow an entry of a traceback without the watch."""
    own = (Watch.__torch_function__.__code__.co_code, _call.__code__.co_code)
    after = entry.tb_next
    while after is not None:
        # A function written in Python calls the watch, and the watch calls the function again.
        entries = [after]
        while len(entries) < 3 and entries[-1].tb_next is not None:
            entries.append(entries[-1].tb_next)
        codes = [one.tb_frame.f_code for one in entries]
        if codes[0].co_code in own:
            after = after.tb_next
        elif codes[1:] == [handle_torch_function.__code__, Watch.__torch_function__.__code__]:
            after = entries[-1].tb_next
        else:
            break
    code = entry.tb_frame.f_code
    if after is not entry.tb_next and after is not None and after.tb_frame.f_code is code:
        after = after.tb_next  # one of two functions that share the name, such as max_pool2d
    return after


def open_watch() -> None:
    """Watch this thread, or count one more block if it is watched."""
    watch = _current()
    if watch is None:
        watch = Watch()
        _untyped.overrides._push_mode(watch)
    watch.depth += 1


def close_watch() -> None:
    """End a block of this thread; the last one ends the watch, whatever has been entered since."""
    watch = _current()
    if watch is None:
        return
    watch.depth -= 1
    if watch.depth == 0:
        others = []
        while (mode := _untyped.overrides._pop_mode()) is not watch:
            others.append(mode)
        for mode in reversed(others):
            _untyped.overrides._push_mode(mode)


def _current() -> Watch | None:
    stack = _untyped.overrides._get_current_function_mode_stack()
    return next((mode for mode in stack if isinstance(mode, Watch)), None)


class _Places:
    """The places that have been warned of, as long as the filters of warnings are the same."""

    def __init__(self) -> None:
        self.filters: object = None
        self.known: set[Place] = set()

    def is_new(self, place: Place) -> bool:
        """Return whether a place has not been asked for before, and remember it."""
        if self.filters is not warnings.filters:
            self.filters, self.known = warnings.filters, set()
        new = place not in self.known
        self.known.add(place)
        return new


_places = _Places()


def forget_places() -> None:
    """Let every place be warned of again."""
    _places.known.clear()


def _warn(mistake: Mistake, line: Line | None, places: set[Place]) -> None:
    """Warn in the name of a line, once, and add it to the places of the block."""
    if line is None:
        return
    path, number, module = line
    place = (mistake.name, path, number)
    if place not in places and _places.is_new(place):
        places.add(place)
        warnings.warn_explicit(str(mistake), SilentMistakeWarning, path, number, module)


def _readers_line() -> Line | None:
    """Return the line that is run in the innermost frame of the reader's code."""
    frame = _readers_frame()
    if frame is None:
        return None
    return frame.f_code.co_filename, frame.f_lineno, str(frame.f_globals.get("__name__"))


def _readers_frame() -> FrameType | None:
    """Return the innermost frame outside PyTorch, this package and other libraries."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "torch")).partition(".")[0]
        path = frame.f_code.co_filename
        installed = {"site-packages", "dist-packages"}.intersection(Path(path).parts)
        if package not in ("torch", "convlab") and not installed and not _is_of_python(path):
            return frame
        frame = frame.f_back
    return None


def _is_of_python(path: str) -> bool:
    return path.startswith(("<frozen", *_STANDARD_LIBRARY))
