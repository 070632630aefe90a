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
    getattr(Tensor, name)
    for name in (
        "tolist", "numpy", "__array__", "__repr__", "__format__", "__reduce_ex__", "__dlpack__",
    )
}  # fmt: skip
# They make a tensor on the CPU even if it is then moved to the device.
CONSTRUCTORS = {
    torch.tensor, torch.as_tensor, torch.asarray, torch.frombuffer, Tensor.new_tensor,
}  # fmt: skip
# PyTorch marks operations whose result, or the shape of it, depends on values; not all of them.
READ_TAGS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
READ_OPERATIONS = {
    aten.is_nonzero, aten.histc, aten.embedding_renorm_, aten._to_sparse, aten._coalesce,
    aten._linalg_check_errors,
}  # fmt: skip
INDEXING = {aten.index, aten.index_put, aten.index_put_, aten._index_put_impl_}
# They return new memory, and compute nothing.
ALLOCATIONS = {aten.empty, aten.empty_like, aten.empty_strided, aten.new_empty, aten._unsafe_view}


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
    active : bool
        Whether anything is recorded.
    """

    def __init__(self, device="cuda"):
        self.has_stand_in = device == "cuda"
        self.findings, self.operations = [], {phase: [] for phase in PHASES}
        self.active, self.phase, self.call = True, PHASES[0], None
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
                return  # a DataLoader makes its batches on the host
            if place is None and not file.startswith(TORCH) and file != __file__:
                place = f"{Path(file).name}:{frame.f_lineno}, {frame.f_code.co_name}"
            frame = frame.f_back
        if self.active:
            self.findings.append(f"{name} ({place})")

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
            with self:  # for the calls of hooks, and of functions with a backward pass of their own
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
        outer, recorder.call = recorder.call, func.__name__.strip("_")
        try:
            if func in READS and recorder.on_device(args[0]):
                recorder.report(recorder.call)
                args = (torch.ones(args[0].shape, dtype=args[0].dtype), *args[1:])
            elif func in CONSTRUCTORS and not recorder.on_device(args[func == Tensor.new_tensor]):
                recorder.report(recorder.call)
            elif func in (Tensor.__getitem__, Tensor.__setitem__) and recorder.on_device(args[0]):
                index = args[1] if isinstance(args[1], tuple) else (args[1],)
                if any(isinstance(part, (list, np.ndarray)) for part in index):
                    recorder.report(f"{recorder.call} with a list")
            return func(*args, **kwargs)
        finally:
            recorder.call = outer


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
        if on_device and reads_values(func, tensors):
            recorder.report(name)
            if packet in (aten._local_scalar_dense, aten.equal) and recorder.has_stand_in:
                return torch.ones((), dtype=tensors[0].dtype).item()
        elif packet == aten._to_copy and recorder.has_stand_in:
            target = kwargs.get("device") or ("meta" if on_device else "cpu")
            to_host = torch.device(target).type == "cpu"
            if on_device and to_host:
                recorder.report(name)
                return torch.ones(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype)
            if on_host and not to_host and not kwargs.get("non_blocking"):
                recorder.report(f"{name} without non_blocking")
        elif packet == aten.copy_ and on_device and on_host:
            if args[0].is_cpu:
                recorder.report(name)
                return args[0].fill_(1)
            if not (kwargs.get("non_blocking") or args[2:] == (True,)):
                recorder.report(f"{name} without non_blocking")
        elif on_device and any(value.ndim for value in on_host):
            recorder.report(f"{name} of a tensor on the CPU")
        result = func(*args, **kwargs)
        results = list(tensors_in(result))
        aliases = [returned.alias_info for returned in func._schema.returns]
        if any(map(recorder.on_host, results)) and None in aliases:
            recorder.report(f"{name} on the CPU")
        is_view = bool(aliases) and all(alias and not alias.is_write for alias in aliases)
        computes = on_device or any(map(recorder.on_device, results))
        if recorder.active and computes and not is_view and packet not in ALLOCATIONS:
            recorder.operations[recorder.phase].append(str(func))
        return result


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


def reads_values(func, tensors):
    """Return whether the result of an operation, or the shape of it, depends on values."""
    if func.overloadpacket in INDEXING:
        return any(value.dtype in (torch.bool, torch.uint8) for value in tensors[1:])
    return func.overloadpacket in READ_OPERATIONS or bool(READ_TAGS.intersection(func.tags))


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
    """Record training steps after a first one, in which the optimizer makes its state.

    An error counts only if nothing has been found before: the stand-in cannot answer everything.
    """
    with Recorder(config.device) as recorder:
        recorder.active = False
        context = DistributedContext(device=torch.device(config.device))
        state = TrainState(model, config, context, count_classes(data), loss)
        state.set_train_mode()
        recorder.follow(state)
        batches = make_batches(data, config, context).epoch(0)
        for step in range(1 + steps):
            recorder.active = step > 0
            recorder.phase = "batch"
            images, labels = next(batches)
            recorder.phase = "forward and loss"
            try:
                train_step(state, images, labels, learning_rate=0.1)
            except Exception:
                if not recorder.findings:
                    raise
                break
    return recorder
