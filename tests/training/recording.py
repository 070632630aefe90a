"""Record the operations of a training step, on a stand-in for a GPU.

The stand-in is PyTorch's meta device, whose tensors have shapes and no values. Within a `Recorder`
it is called "cuda": ``device="cuda"`` makes such tensors, and their ``device`` is "cuda:0", so that
code takes the branches of a GPU. A value that is read is 1, so that the code continues.
"""

import sys
import warnings
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from convlab.training.batches import make_batches
from convlab.training.distributed import DistributedContext
from convlab.training.loop import count_classes, train_step
from convlab.training.state import TrainState

TORCH = str(Path(torch.__file__).parent)
PHASES = ("batch", "forward and loss", "backward", "optimizer", "counting")
aten = torch.ops.aten
# Methods that read values without an operation.
READS = {
    Tensor.tolist, Tensor.numpy, Tensor.__array__, Tensor.__repr__, Tensor.__format__,
    Tensor.__dlpack__,
}  # fmt: skip
# They make a tensor on the CPU even if it is then moved to the device.
CONSTRUCTORS = {
    torch.tensor, torch.as_tensor, torch.asarray, torch.frombuffer, torch.from_dlpack,
}  # fmt: skip
# PyTorch marks operations whose result, or the shape of it, depends on values; not all of them.
READ_TAGS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
READ_OPERATIONS = {
    aten.is_nonzero, aten.histc, aten.embedding_renorm_, aten._to_sparse, aten._coalesce,
    aten._linalg_check_errors, aten.normal.float_Tensor, aten.normal.Tensor_Tensor,
}  # fmt: skip
INDEXING = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}
# They compute nothing, but are not views either.
METADATA = {
    aten.empty, aten.empty_like, aten.empty_strided, aten.new_empty,
    aten.new_empty_strided, aten._unsafe_view, aten.as_strided_,
}  # fmt: skip


class Recorder:
    """Record operations and waits on "cuda", the stand-in, or on the CPU; a context manager.

    Attributes
    ----------
    findings : list of str
        What waits for the device, copies to the host, or makes a tensor on the CPU, and where. On
        the CPU only reads of values can be told apart from other operations.
    operations : dict of str to list of str
        The operations that compute something on the device, in each of the `PHASES`. Most of them
        launch one kernel. Views are left out.
    transfers : int
        Number of copies from the host that do not wait, if their memory is pinned.
    active : bool
        Whether anything is recorded.
    """

    def __init__(self, device="cuda"):
        self.has_stand_in = device == "cuda"
        self.findings, self.operations = [], {phase: [] for phase in PHASES}
        self.transfers, self.active, self.phase = 0, True, PHASES[0]
        self.call, self.reported = None, False  # the call from Python, and whether it was reported
        self._stack = ExitStack()

    def __enter__(self):
        if self.has_stand_in:
            self._stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", message=".*pin_memory.*no accelerator is found")
            for module, functions in replacements(self.report).items():
                self._stack.enter_context(mock.patch.multiple(module, **functions))
        self._stack.enter_context(Calls(self))
        self._stack.enter_context(Operations(self))
        return self

    def __exit__(self, *exception):
        self._stack.close()

    def report(self, name):
        """Add a finding, with the line of code that is responsible for it."""
        frame, place = sys._getframe(1), None
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith(f"{TORCH}/utils/data"):
                return name  # a DataLoader makes its batches on the host
            if place is None and not file.startswith(TORCH) and file != __file__:
                place = f"{Path(file).name}:{frame.f_lineno}, {frame.f_code.co_name}"
            frame = frame.f_back
        finding = f"{name} ({place})"
        if not (self.call and self.reported):
            self.findings += [finding] * self.active
        self.reported = True
        return finding

    def on_device(self, value):
        """Return whether a value is a tensor on the recorded device."""
        return isinstance(value, Tensor) and (value.is_meta if self.has_stand_in else value.is_cpu)

    def on_host(self, value):
        """Return whether a value is a tensor on the host of the stand-in."""
        return isinstance(value, Tensor) and value.is_cpu and self.has_stand_in

    def follow(self, state):
        """Tell the phases of a training step apart from now on."""

        def enter(phase):
            return lambda *_: setattr(self, "phase", phase)

        state.model.register_forward_pre_hook(enter("forward and loss"))
        state.optimizer.register_step_pre_hook(enter("optimizer"))
        state.optimizer.register_step_post_hook(enter("counting"))


class Calls(TorchFunctionMode):
    """Notice calls from Python, and give the stand-in the name of a GPU."""

    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func, types, args=(), kwargs=None):
        recorder, kwargs = self.recorder, kwargs or {}
        if func == Tensor.backward:
            recorder.phase = "backward"
            # The mode stays active, for hooks and functions with a backward pass of their own.
            with self, mock.patch.object(torch.autograd, "has_torch_function", return_value=False):
                torch.autograd.backward(args[0], kwargs.pop("gradient", None), **kwargs)
            recorder.phase = "counting"
            return None
        if recorder.has_stand_in and func is not torch.device:
            if func in (Tensor.device.__get__, Tensor.is_cuda.__get__) and args[0].is_meta:
                return torch.device("cuda", 0) if func == Tensor.device.__get__ else True
            if func == Tensor.pin_memory:
                return args[0]
            if func == Tensor.cuda:
                func, args = Tensor.to, (args[0], "cuda")
            args = tuple(map(without_gpu, args))
            kwargs = {name: without_gpu(value) for name, value in kwargs.items()}
        outer = recorder.call, recorder.reported
        name = func.__name__.removeprefix("__").removesuffix("__")
        recorder.call, recorder.reported = name, False
        try:
            if func in READS and recorder.on_device(args[0]):
                recorder.report(name)
                args = (torch.ones(args[0].shape, dtype=args[0].dtype), *args[1:])
            elif func == Tensor.new_tensor or (
                func in CONSTRUCTORS and not any(map(recorder.on_device, args[:1]))
            ):
                recorder.report(name)
            elif func in (Tensor.__getitem__, Tensor.__setitem__) and recorder.on_device(args[0]):
                index = args[1] if isinstance(args[1], tuple) else (args[1],)
                if any(isinstance(part, (list, np.ndarray)) for part in index):
                    recorder.report(f"{name} with a list")
            return func(*args, **kwargs)
        finally:
            recorder.call, recorder.reported = outer


class Operations(TorchDispatchMode):
    """Notice the operations that the calls consist of."""

    def __init__(self, recorder):
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        recorder, kwargs, packet = self.recorder, kwargs or {}, func.overloadpacket
        tensors = list(tensors_in((args, kwargs)))
        on_device = any(map(recorder.on_device, tensors))
        on_host = [value for value in tensors if recorder.on_host(value)]
        name = recorder.call or packet.__name__
        if on_device and reads_values(func, args):
            finding = recorder.report(name)
            if recorder.has_stand_in:
                return answer(packet, tensors, finding)
        elif recorder.has_stand_in and packet in (aten._to_copy, aten.copy_):
            copied = self.copy(name, packet, args, kwargs)
            if copied is not None:
                return copied
        elif on_device and any(value.ndim for value in on_host):
            raise Unanswerable(recorder.report(f"{name} of a tensor on the CPU"))
        result = func(*args, **kwargs)
        results = list(tensors_in(result))
        aliases = [returned.alias_info for returned in func._schema.returns]
        if any(map(recorder.on_host, results)) and None in aliases:
            recorder.report(f"{name} on the CPU")
        is_view = bool(aliases) and all(alias and not alias.is_write for alias in aliases)
        computes = on_device or any(map(recorder.on_device, results))
        if recorder.active and computes and not is_view and packet not in METADATA:
            recorder.operations[recorder.phase].append(str(func))
        return result

    def copy(self, name, packet, args, kwargs):
        """Report a copy between host and device; return it if it is one to the host."""
        if packet == aten.copy_:
            to_host, source = args[0].is_cpu, args[1]
        else:
            source, device = args[0], kwargs.get("device")
            to_host = source.is_cpu if device is None else torch.device(device).type == "cpu"
        if source.is_meta and to_host:
            self.recorder.report(name)
            if packet == aten.copy_:
                return args[0].fill_(1)
            return torch.ones(source.shape, dtype=kwargs.get("dtype") or source.dtype)
        if source.is_cpu and not to_host:
            if True in (kwargs.get("non_blocking"), *args[2:]):
                self.recorder.transfers += self.recorder.active
            else:
                self.recorder.report(f"{name} without non_blocking")
        return None


def answer(packet, tensors, finding):
    """Return a value that is read from the stand-in."""
    if packet == aten._local_scalar_dense:
        return torch.ones((), dtype=tensors[0].dtype).item()
    if packet in (aten.equal, aten.allclose, aten.is_nonzero):
        return True
    raise Unanswerable(finding)


class Unanswerable(RuntimeError):
    """An operation that the stand-in cannot do; the message is what was reported of it."""


class HostGenerator(torch.Generator):
    """A generator of the CPU in place of one of the stand-in, which has none."""

    def __new__(cls, device="cpu"):
        return super().__new__(cls, "cpu")


def tensors_in(value):
    """Yield the tensors in nested sequences and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from tensors_in(part)


def without_gpu(value):
    """Return the meta device in place of a GPU."""
    is_gpu = isinstance(value, (str, torch.device)) and str(value) in ("cuda", "cuda:0")
    return torch.device("meta") if is_gpu else value


def reads_values(func, args):
    """Return whether the result of an operation, or the shape of it, depends on values."""
    if func.overloadpacket in INDEXING:
        return any(index.dtype in (torch.bool, torch.uint8) for index in tensors_in(args[1]))
    is_read = bool(READ_OPERATIONS & {func, func.overloadpacket})
    return is_read or bool(READ_TAGS.intersection(func.tags))


def replacements(report):
    """Return functions of PyTorch that no mode notices, with what replaces them on the stand-in."""

    def synchronize(*args, **kwargs):
        report("synchronize")

    class Queue:
        """A stream or an event."""

        def __init__(self, *args, **kwargs):
            self.record = self.record_event = self.wait = self.wait_stream = Queue
            self.wait_event, self.synchronize = Queue, synchronize
            self.query, self.is_capturing = lambda: True, lambda: False

    def from_numpy(array, convert=torch.from_numpy):
        report("from_numpy")
        return convert(array)

    return {
        torch: {"from_numpy": from_numpy, "Generator": HostGenerator, "Event": Queue},
        torch.accelerator: {"synchronize": synchronize, "current_stream": Queue},
        torch.cuda: {
            "synchronize": synchronize, "Stream": Queue, "Event": Queue, "current_stream": Queue,
            "default_stream": Queue, "is_available": lambda: True, "device_count": lambda: 1,
            "current_device": lambda: 0, "set_device": lambda device: None,
            "get_rng_state_all": list, "is_current_stream_capturing": lambda: False,
        },
    }  # fmt: skip


def record_steps(model, data, config, loss=None, steps=1):
    """Record training steps: the operations of the last ones, and what waits in the first, too.

    The batch of the first step is left out, which the start of an epoch belongs to.
    """
    with Recorder(config.device) as recorder:
        recorder.active = False
        context = DistributedContext(device=torch.device(config.device))
        state = TrainState(model, config, context, count_classes(data), loss)
        state.set_train_mode()
        recorder.follow(state)
        batches = make_batches(data, config, context).epoch(0)
        try:
            for step in range(1 + steps):
                if step == 1:  # the optimizer has made its state
                    recorder.operations = {phase: [] for phase in PHASES}
                recorder.phase = "batch"
                images, labels = next(batches)
                recorder.active, recorder.phase = True, "forward and loss"
                train_step(state, images, labels, learning_rate=0.1)
        except Unanswerable as error:
            recorder.findings = recorder.findings or [str(error)]
        except Exception:
            if not recorder.findings:  # else it follows from a value that the stand-in has made up
                raise
    return recorder
