"""Add an explanation to the errors of ordinary PyTorch code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import FrameType, TracebackType
from typing import Any

from torch import Tensor, nn

from convlab.explain.book import section
from convlab.explain.calls import Call, describe, parse_call
from convlab.explain.cases import SKIPPED_HOOK
from convlab.explain.constructors import explain_layer
from convlab.explain.explain import explain_call
from convlab.explain.explanation import CAUSES, Explanation, Fix
from convlab.explain.expression import failing_call
from convlab.explain.findings import Finding
from convlab.explain.meta import skipped_hooks, unwrapped
from convlab.explain.silent import SilentMistakeWarning
from convlab.explain.state_dict import explain_state_dict, state_dict_fixes
from convlab.explain.trace import ModuleCall, module_calls
from convlab.explain.watch import close_watch, open_watch, without_watch

_PREFIX = "convlab: "


class explaining:
    """Add a note to an error in the block, and warn of mistakes that raise none.

    A context manager. The very same exception goes on, with a note (``__notes__``, PEP 678) that a
    traceback shows below the message, from Python 3.11 on. It begins with ``convlab:`` and holds
    the cause, the path and the class of the layer, the arithmetic, the last layer that worked, the
    first fix of `explain`, and the address of the section of the book.

    Errors in a call of a module are explained, in the constructor of a layer, in
    `load_state_dict`, in a function of `torch.nn.functional`, and, from Python 3.11 on, in a call
    of another function of PyTorch or an arithmetic operator with operands that are variables. In an
    ExceptionGroup, each exception gets its own note. Other errors, and exceptions that are not
    subclasses of Exception, get no note.

    Some mistakes raise no error. `SilentMistakeWarning` names the line of the reader's code, once:
    a softmax before ``cross_entropy``, a target that broadcasts in a loss of PyTorch or in one by
    hand, and a batch of grey images taken for one image. Each has a rule, such as
    `convlab.explain.silent.maps_broadcast`, which states what it takes for legitimate code.

    Parameters
    ----------
    model : Module or None
        Paths of layers are those in this model. Without it, they are relative to the outermost
        module that was called.
    warn : bool
        Whether to warn of silent mistakes. A ``TorchFunctionMode`` then looks at the calls of
        PyTorch's functions in this thread, which takes microseconds each and adds no operation. A
        function of ``torch.compile`` that was compiled outside is compiled once more inside.

    Notes
    -----
    After an error, the call runs again, without data, and once more for each fix that is tried. If
    none is found in about 0.3 s of CPU time, the note comes without one that was tried.

    Nothing stays behind. The block may be nested, and left in another order than it was entered, as
    by a generator. Each thread needs its own. If the filters of `warnings` turn warnings into
    errors, the mistake raises at its line.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(16, 8, 3))
    >>> try:
    ...     with explaining():
    ...         model(torch.ones(1, 3, 32, 32))
    ... except RuntimeError as error:
    ...     print(error.__notes__[0])
    convlab: [channels] 1 (Conv2d): the input has a different number of channels than the layer
      input: shape (1, 8, 30, 30) has 8 channels
      in_channels = 16
      8 != 16
      last layer that worked: 0, output (1, 8, 30, 30)
      fix: 1: in_channels=8
      book: errors.html#error-channels
    """

    def __init__(self, model: nn.Module | None = None, warn: bool = True) -> None:
        self.model = model
        self.warn = warn

    def __enter__(self) -> explaining:
        """Begin to watch the calls of PyTorch's functions, and return the context manager."""
        if self.warn:
            with suppress(Exception):
                open_watch()
        return self

    def __exit__(
        self, cls: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """End the watch, and add the note to an error."""
        if self.warn:
            with suppress(Exception):
                close_watch()
        if isinstance(error, Exception):
            annotate(error, tb, self.model)


def annotate(
    error: Exception, traceback: TracebackType | None, model: nn.Module | None = None
) -> None:
    """Add the note to an error, and to each one in an ExceptionGroup. Raises nothing."""
    with suppress(Exception):  # an error here must not replace the other
        _remove_watch(error)
        inner = getattr(error, "exceptions", None)
        if isinstance(inner, tuple) and hasattr(error, "derive"):
            for one in inner:
                if isinstance(one, Exception):
                    annotate(one, one.__traceback__, model)
        elif not isinstance(error, SilentMistakeWarning) and not _has_note(error):
            before = error.__traceback__
            try:
                found = _explain_error(error, traceback, model)
            finally:  # the code of a module may raise the same error again
                error.__traceback__ = before
            if found is not None:
                _add_note(error, _note(found))


def _remove_watch(error: BaseException | None) -> None:
    """Take the frames of the watch out of the tracebacks of an error and of its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        entry = error.__traceback__
        while entry is not None:
            after = without_watch(entry)
            if after is not entry.tb_next:
                entry.tb_next = after
            entry = after
        error = error.__cause__ or error.__context__


def _has_note(error: BaseException) -> bool:
    return any(str(note).startswith(_PREFIX) for note in getattr(error, "__notes__", ()))


def _add_note(error: Exception, note: str) -> None:
    if hasattr(error, "add_note"):
        error.add_note(note)
    else:  # Python 3.10, whose tracebacks do not show it
        vars(error).setdefault("__notes__", []).append(note)


def _note(found: Explanation) -> str:
    cause = found.cause or "unknown"
    name = f"{found.layer} ({found.layer_class})" if found.layer else str(found.layer_class)
    lines = [f"{_PREFIX}[{cause}] {name}: {CAUSES[cause]}"]
    lines += [f"  {step}" for step in found.steps if not step.startswith(SKIPPED_HOOK)]
    if found.last_layer is not None:
        lines.append(f"  last layer that worked: {found.last_layer}, output {found.last_shape}")
    lines += [f"  fix: {fix.text}" for fix in found.fixes[:1]]
    lines.append(f"  book: {section(cause)}")
    return "\n".join(lines)


def _explain_error(
    error: Exception, traceback: TracebackType | None, model: nn.Module | None
) -> Explanation | None:
    frames = list(_frames(traceback))
    for frame in reversed(frames):
        if found := _of_constructor(frame) or _of_state_dict(frame):
            return found
    calls = list(module_calls(traceback))
    if calls:
        return _of_modules(error, calls, model)
    for frame in frames:
        found = _of_function(frame)
        if found is not None and _is_plausible(found, error):
            return found
    call = None if traceback is None else failing_call(traceback)
    if call is None:
        return None
    found = _explain_function(*call)
    return found if _is_plausible(found, error) else None


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _is_plausible(found: Explanation, error: Exception) -> bool:
    """Return whether an explanation may be that of an error.

    The run without data does not know whether autocast was on when the error was raised, so the
    message has to confirm a cause about dtypes.
    """
    about_dtypes = found.cause in ("dtype_mismatch", "integer_image")
    text = str(error).lower()
    confirmed = "type" in text or "not implemented" in text or "cast" in text
    return found.ok is not True and found.cause != "unknown" and (confirmed or not about_dtypes)


def _is_sure(found: Explanation, error: Exception, module: nn.Module) -> bool:
    """Return whether the numbers are those of the error, whatever hooks have not run.

    The hooks of the module itself have run before its arguments were looked up.
    """
    inside = set(skipped_hooks(module)) - {""}
    return found.ok is False or not inside or found.message == str(error)


def _of_modules(error: Exception, calls: list[ModuleCall], model: nn.Module | None) -> Explanation:
    outer, inner = calls[0], calls[-1]
    root = unwrapped(outer.module)
    paths = {id(module): path for path, module in root.named_modules()}
    prefix = ""
    if model is not None:
        known = {id(module): path for path, module in unwrapped(model).named_modules()}
        prefix = known.get(id(root), "")
    # In a wrapper, or while torch.compile traces: the layer is not in the traceback.
    wrapped = id(inner.module) not in paths or type(error).__module__.startswith("torch._dynamo")
    path = paths.get(id(inner.module), "")
    found = explain_call(root, outer.args, outer.kwargs, all_fixes=False)
    if (
        _is_plausible(found, error)
        and _is_sure(found, error, root)
        and (found.layer == path or (wrapped and str(found.layer).startswith(path)))
    ):
        return _prefixed(found, prefix)
    if not wrapped and inner is not outer:
        found = explain_call(inner.module, inner.args, inner.kwargs, all_fixes=False)
        sure = _is_sure(found, error, inner.module)
        if _is_plausible(found, error) and sure and found.layer == "":
            fixes = tuple(replace(fix, text=_named(fix.text, path)) for fix in found.fixes)
            return _prefixed(replace(found, layer=path, fixes=fixes), prefix)
    arguments = [*inner.args, *inner.kwargs.values()]
    steps = tuple(f"argument: {describe(x)}" for x in arguments if isinstance(x, Tensor))
    return _prefixed(
        Explanation(False, None, "unknown", path, type(unwrapped(inner.module)).__name__, steps),
        prefix,
    )


def _named(text: str, path: str) -> str:
    return f"{path}: {text}" if path else text


def _prefixed(found: Explanation, prefix: str) -> Explanation:
    """Return an explanation with paths in a larger model."""
    if not prefix:
        return found
    layer = f"{prefix}.{found.layer}" if found.layer else prefix
    last = f"{prefix}.{found.last_layer}" if found.last_layer else found.last_layer
    fixes = tuple(replace(fix, text=f"in {prefix}: {fix.text}") for fix in found.fixes)
    return replace(found, layer=layer, last_layer=last, fixes=fixes)


def _of_constructor(frame: FrameType) -> Explanation | None:
    """Explain an error in the constructor of a layer of PyTorch."""
    of_torch = str(frame.f_globals.get("__name__")).startswith("torch.nn.modules.")
    if frame.f_code.co_name != "__init__" or not of_torch:
        return None
    module = frame.f_locals.get("self")
    if not isinstance(module, nn.Module):
        return None
    built = explain_layer(frame.f_locals)
    if built is None:
        return None
    return _explanation(built.finding, type(module).__name__, [Fix(built.fix)] if built.fix else [])


def _of_state_dict(frame: FrameType) -> Explanation | None:
    """Explain an error of `load_state_dict`."""
    if frame.f_code.co_name != "load_state_dict":
        return None
    names = frame.f_locals
    module, values = names.get("self"), names.get("state_dict")
    if not isinstance(module, nn.Module):
        return None
    if not isinstance(values, Mapping) or not (finding := explain_state_dict(module, values)):
        return None
    return _explanation(finding, type(module).__name__, state_dict_fixes(module, values))


def _explanation(finding: Finding, name: str, fixes: Sequence[Fix]) -> Explanation:
    return Explanation(False, None, finding.cause, "", name, tuple(finding.steps), tuple(fixes))


class _Function(nn.Module):
    """A module that calls a function."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def _of_function(frame: FrameType) -> Explanation | None:
    """Explain an error in a function of ``torch.nn.functional`` that is written in Python."""
    if frame.f_globals.get("__name__") != "torch.nn.functional":
        return None
    code, names = frame.f_code, frame.f_locals
    function = frame.f_globals.get(code.co_name)
    call: Call = parse_call(function, (), {})
    if not call.kind or function is None:
        return None
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if any(name not in names for name in parameters):
        return None
    # The first two as positional arguments, as most code passes them.
    args = [names[name] for name in parameters[:2]]
    kwargs = {name: names[name] for name in parameters[2:]}
    return _explain_function(function, args, kwargs)


def _explain_function(function: Any, args: list[Any], kwargs: dict[str, Any]) -> Explanation:
    found = explain_call(_Function(function), args, kwargs, all_fixes=False)
    return replace(found, layer_class=str(function.__name__).strip("_"))
