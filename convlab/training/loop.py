"""The training loop: `fit` and the `train_step` that it repeats."""

from __future__ import annotations

import copy
import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import UninitializedParameter
from torch.optim.swa_utils import AveragedModel

from convlab._files import expand_home
from convlab._validate import integer
from convlab.data import Dataset, split_validation
from convlab.training.batches import Batches, make_batches
from convlab.training.checkpoint import CheckpointManager
from convlab.training.config import TrainConfig
from convlab.training.distributed import process_group, sync_batch_norm
from convlab.training.errors import Interrupted, NonFiniteLoss
from convlab.training.evaluation import (
    Evaluation,
    check_logits,
    check_model,
    count_correct,
    evaluate_distributed,
)
from convlab.training.history import Epoch, FitResult, progress_bar
from convlab.training.loss import Loss, check_loss, sum_losses
from convlab.training.optim import learning_rate_at
from convlab.training.precision import autocast, backend_flags
from convlab.training.randomness import derived_seed, seed_everything
from convlab.training.state import TrainState

STOP_INTERVAL = 10  # steps after which several processes agree whether to stop


def fit(
    model: nn.Module,
    data: Dataset,
    config: TrainConfig | None = None,
    *,
    loss: Loss | None = None,
    out: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    keep: int = 2,
    progress: bool | None = None,
    on_epoch: Callable[[Epoch], object] | None = None,
) -> FitResult:
    """Train a network to classify images, and evaluate it on the test images once, at the end.

    With `out`, the state is saved after each epoch, and the same call continues from there: the
    final weights are those of an uninterrupted run, bit for bit on a CPU, and on a GPU with
    ``config.deterministic``.

    Parameters
    ----------
    model : nn.Module
        Takes ``(N, C, H, W)`` in the dtype of its weights and returns logits ``(N, classes)``. It
        is moved to the device and trained in place, from its current weights or those of the
        checkpoint. Layers in eval mode inside a model in train mode stay in eval mode, such as a
        batch normalization whose statistics are frozen; a model in eval mode as a whole is put
        into train mode. `torch.compile` and `DataParallel` around it are removed from the result.
    data : Dataset
        From `convlab.data.load`, or made of arrays. If it has no validation images,
        `config.validation_fraction` of its training images are held out.
    config : TrainConfig, optional
        The settings; by default ``TrainConfig()``.
    loss : callable, optional
        What to minimize and to report; by default the cross entropy. ``loss(logits, labels)``
        returns the loss of each image ``(n,)``, or their mean ``()`` as PyTorch's losses do, such
        as ``nn.CrossEntropyLoss(weight=...)`` for classes of unequal size. It must depend on its
        arguments alone, and `config.label_smoothing` must be 0. A module is moved to the device and
        to the dtype of the logits; no parameter of it may require a gradient.
    out : path, optional
        Folder for checkpoints, ``history.csv``, ``history.jsonl``, and at the end ``model.pt``
        (the weights) and ``result.json``. Created if missing; ``~`` is the home folder.
    checkpoint_every : int, optional
        Also save after every `checkpoint_every` steps, at least 1; for long epochs.
    keep : int
        Number of checkpoints to keep, at least 1.
    progress : bool, optional
        Show a progress bar; by default if standard error is a terminal.
    on_epoch : callable, optional
        Called with each `Epoch` when it ends, in process 0.

    Returns
    -------
    FitResult
        The model in eval mode, the history, and the evaluations of the final weights.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range; if the images do not fit the
        settings, or the model's outputs do not fit the labels; if a part of the model is compiled;
        if `loss` returns another shape; if `config.patience` or `config.restore_best_weights` has
        no validation images; if `out` holds a run with other settings, model, loss or images.
    NonFiniteLoss
        If the loss becomes infinite or NaN; noticed before the next checkpoint is written.
    CheckpointError
        If `out` has checkpoints and none can be read.
    FolderInUse
        If another process is training into `out`.
    OSError
        If `out` cannot be written to. Existing files stay complete.
    WorkerLost
        If another process of the job has ended.
    Interrupted
        After Ctrl-C or SIGTERM, with `out` only: the state is saved.

    Notes
    -----
    The shared generators of Python, NumPy and PyTorch are seeded from `config.seed`.

    A loss is called once for each part of a batch (the share of a process, divided by
    ``config.accumulation_steps``), in an evaluation for 500 images of a process, and its means are
    averaged. PyTorch's weighted losses divide by the sum of the weights in the part, so that the
    average depends slightly on the parts; with ``reduction="none"`` it does not.

    Examples
    --------
    >>> from convlab.data import load
    >>> from convlab.models import LeNet5
    >>> result = fit(LeNet5(), load("digits"), TrainConfig(epochs=1, learning_rate=0.01))
    >>> result.test.count, len(result.history)
    (355, 1)
    """
    config = TrainConfig() if config is None else config
    check_training(model, data, config, loss)
    wrapped, model = model, unwrap_model(model)
    _check_output(out, keep, checkpoint_every)
    data = _with_validation(data, config)
    with ExitStack() as stack:
        context = stack.enter_context(process_group(config.device))
        stack.enter_context(backend_flags(config))
        batches = make_batches(data, config, context)
        steps_per_epoch, total_steps = batches.steps_per_epoch, batches.total_steps
        state = TrainState(model, config, context, count_classes(data), loss)
        if context.world_size > 1:
            stack.enter_context(sync_batch_norm(model))
        # Dropout draws from the shared generators; each process has its own.
        seed_everything(derived_seed(config.seed, "layers", context.rank))
        # Absolute, since the model or `on_epoch` may change the current folder.
        folder = expand_home(out).absolute() if out is not None else None
        checkpoints = stack.enter_context(CheckpointManager(folder, keep, state, data))
        checkpoints.resume()
        # After the weights are restored: several processes get those of process 0.
        state.forward = context.wrap_model(model) if context.world_size > 1 else wrapped
        if config.compile:
            state.forward = torch.compile(state.forward)  # type: ignore[assignment]
        stop = stack.enter_context(StopRequest(folder is not None, context.world_size == 1))

        while state.step < total_steps and not _is_stopped_early(state):
            epoch, first_step = divmod(state.step, steps_per_epoch)
            if first_step == 0:
                state.start_epoch()
            state.set_train_mode()
            state.start_clock()
            title = f"epoch {epoch + 1}/{config.epochs}"
            show = progress if context.is_primary else False
            steps = batches.epoch(epoch, first_step)
            for images, labels in progress_bar(steps, steps_per_epoch, first_step, title, show):
                train_step(state, images, labels, learning_rate_at(state.step, total_steps, config))
                if state.step % steps_per_epoch:  # the end of an epoch comes below
                    if checkpoint_every is not None and state.step % checkpoint_every == 0:
                        _check_and_save(state, batches, checkpoints)
                    if context.world_size == 1 or state.step % STOP_INTERVAL == 0:
                        _stop_if_requested(stop, state, batches, checkpoints)
            _end_epoch(state, data, batches, checkpoints)
            checkpoints.save()
            if on_epoch is not None and context.is_primary:
                on_epoch(state.history[-1])
            _stop_if_requested(stop, state, batches, checkpoints)

        epoch = _choose_weights(state)
        model.eval()
        validation, test = (_evaluate(state, data, part) for part in ("validation", "test"))
        result = FitResult(
            model, state.history, validation, test, data.mean, data.std, epoch,
            image_shape=data.image_shape, class_names=data.class_names,
        )  # fmt: skip
        if folder is not None and context.is_primary:
            result.write(folder, config)
        _stop_if_requested(stop, state, batches, checkpoints, save=False)
        return result


def train_step(state: TrainState, images: Tensor, labels: Tensor, learning_rate: float) -> Tensor:
    """Take one training step, and return the sum of the losses before its update.

    `images` ``(n, C, H, W)`` and `labels` ``(n,)`` are this process's share of the batch, which is
    computed in ``config.accumulation_steps`` parts. Nothing in it waits for the device, except SGD
    with the loss scaling of fp16, once.
    """
    config, optimizer, scaler = state.config, state.optimizer, state.scaler
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.zero_grad(set_to_none=True)
    parts = config.accumulation_steps
    losses, correct = [], []  # of each part, sums over its images
    pairs = zip(images.chunk(parts), labels.chunk(parts), strict=True)
    for part, (inputs, targets) in enumerate(pairs, start=1):
        with state.context.average_gradients(state.forward, part == parts):
            with autocast(config, state.context.device):
                logits = state.forward(inputs.to(state.dtype))
            check_logits(logits, len(inputs), state.num_classes)
            loss_sum = sum_losses(state.loss, logits, targets, config.label_smoothing)
            # All processes have equal shares, and DDP averages their gradients, so the result is
            # the gradient of the mean loss over the joint batch.
            gradient = loss_sum.new_full((), 1 / len(images))
            scaler.scale(loss_sum).backward(gradient)  # type: ignore[no-untyped-call]
        losses.append(loss_sum.detach())
        correct.append(count_correct(logits.detach(), targets))
    if config.max_grad_norm is not None:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(state.model.parameters(), config.max_grad_norm)
    scaler.step(optimizer)
    scaler.update()
    total = sum(losses[1:], losses[0])
    state.record(total, sum(correct[1:], correct[0]))
    return total


def _end_epoch(
    state: TrainState, data: Dataset, batches: Batches, checkpoints: CheckpointManager
) -> None:
    """Evaluate the validation images, add the epoch to the history, and keep the best weights."""
    state.read_results()  # waits for the device
    totals = torch.tensor(state.totals, dtype=torch.float64)
    loss_sum, correct = state.context.all_reduce(totals, "sum").tolist()
    state.update_seconds()
    _check_finite(state, batches, checkpoints)
    validation = _evaluate(state, data, "validation")
    image_count = batches.steps_per_epoch * batches.batch_size
    state.history.append(
        Epoch(
            epoch=state.step // batches.steps_per_epoch,
            steps=state.step,
            learning_rate=learning_rate_at(state.step - 1, batches.total_steps, state.config),
            train_loss=loss_sum / image_count,
            train_accuracy=correct / image_count,
            validation_loss=validation.loss if validation else None,
            validation_accuracy=validation.accuracy if validation else None,
            seconds=state.seconds,
            images_per_second=image_count / state.seconds,
        )
    )
    if state.config.restore_best_weights and state.history.best() is state.history[-1]:
        state.best_weights = copy.deepcopy(state.snapshot())


def _choose_weights(state: TrainState) -> int:
    """Load the best weights if they are to be restored; return the epoch of the model's weights."""
    best = state.history.best()
    if state.best_weights is None or best is None:
        return len(state.history)
    state.restore(state.best_weights)
    return best.epoch


def _is_stopped_early(state: TrainState) -> bool:
    """Return whether `config.patience` epochs in a row have brought no improvement."""
    best = state.history.best()
    epochs_since_best = len(state.history) - (best.epoch if best else 0)
    return state.config.patience is not None and epochs_since_best >= state.config.patience


def _evaluate(state: TrainState, data: Dataset, part: str) -> Evaluation | None:
    """Evaluate the model on one part of the data; return None if the part is empty."""
    images, labels = getattr(data, f"{part}_images"), getattr(data, f"{part}_labels")
    if not len(labels):
        return None
    state.context.broadcast_buffers(state.model)
    with autocast(state.config, state.context.device):
        return evaluate_distributed(
            state.model, images, labels, state.context, state.loss, mean=data.mean, std=data.std
        )


def _check_finite(state: TrainState, batches: Batches, checkpoints: CheckpointManager) -> None:
    """Raise NonFiniteLoss if a loss or a weight is infinite or NaN."""
    step = state.nonfinite_step()
    if step is None:
        return
    epoch, step_in_epoch = divmod(step, batches.steps_per_epoch)
    rate = learning_rate_at(step, batches.total_steps, state.config)
    positions = batches.positions(epoch, step_in_epoch)
    raise NonFiniteLoss(step, epoch + 1, rate, positions, checkpoints.newest)


def _check_and_save(state: TrainState, batches: Batches, checkpoints: CheckpointManager) -> None:
    """Write a checkpoint, or raise NonFiniteLoss if the state is not finite."""
    _check_finite(state, batches, checkpoints)
    checkpoints.save()


def _stop_if_requested(
    stop: StopRequest,
    state: TrainState,
    batches: Batches,
    checkpoints: CheckpointManager,
    save: bool = True,
) -> None:
    """Save the state and raise Interrupted if any process has received a signal to stop."""
    number = stop.signal_number
    if state.context.world_size > 1:  # on the CPU, so that nothing waits for the device
        number = int(state.context.all_reduce(torch.tensor(number), "max"))
    if number:
        if save:
            _check_and_save(state, batches, checkpoints)
        raise Interrupted(
            f"stopped after step {state.step} of {batches.total_steps}; the state is saved in "
            f"{checkpoints.folder}: start the same command again to continue",
            number,
        )


def _with_validation(data: Dataset, config: TrainConfig) -> Dataset:
    """Hold out `config.validation_fraction` if there are no validation images yet."""
    if config.validation_fraction and not len(data.validation_labels):
        seed = derived_seed(config.seed, "split")
        data = split_validation(data, config.validation_fraction, seed)
    for name in ("patience", "restore_best_weights"):
        value = getattr(config, name)
        if value and not len(data.validation_labels):
            raise ValueError(
                f"{name}={value} needs validation images: set validation_fraction, such as 0.1, "
                f"or pass a Dataset that has them"
            )
    return data


def count_classes(data: Dataset) -> int:
    """Return the number of classes that the labels require: the largest label plus 1."""
    labels = (data.train_labels, data.validation_labels, data.test_labels)
    return 1 + max(int(part.max()) for part in labels if len(part))


def check_training(model: nn.Module, data: object, config: object, loss: object = None) -> None:
    """Raise TypeError or ValueError if `fit` and `learning_rate_range` cannot use the arguments."""
    check_model(model)
    unwrap_model(model)
    if not isinstance(data, Dataset):
        raise TypeError(
            f"data must be a Dataset, got {type(data).__name__}: convlab.data.Dataset(name, "
            f"train_images, train_labels, test_images, test_labels, class_names) makes one of "
            f"arrays, convlab.data.load_folder(folder) one of pictures; a DataLoader or a data "
            f"set of torchvision is not accepted, since `fit` determines the order of the images"
        )
    if not isinstance(config, TrainConfig):
        raise TypeError(f"config must be a TrainConfig, got {type(config).__name__}")
    check_loss(loss, config.label_smoothing)
    for name, parameter in model.named_parameters():
        if isinstance(parameter, UninitializedParameter):
            raise ValueError(
                f"{name} of the model has no shape yet: call the model once, with zeros of the "
                f"shape {(1, *data.image_shape)}"
            )
        if config.precision == "fp16" and parameter.dtype == torch.float16:
            raise ValueError(
                f"precision='fp16' needs weights of float32, got {name} of float16: their updates "
                f"would be too small for 16 bits"
            )
    _, height, width = data.image_shape
    size = f"the images' {height} x {width} pixels"
    if config.crop >= min(height, width):
        raise ValueError(f"crop must be below {size}, got {config.crop}")
    if config.cutout > min(height, width):
        raise ValueError(f"cutout must be at most {size}, got {config.cutout}")


def unwrap_model(model: nn.Module) -> nn.Module:
    """Return the network in `torch.compile`, `DataParallel` or `DistributedDataParallel`.

    These put a prefix before the names of the weights. Raises ValueError if it is wrapped in
    another class that does so, or a part of it is compiled.
    """
    while True:
        # The class of a compiled module would be slow to import.
        inner = dict(model.named_children()).get("_orig_mod")
        if isinstance(model, (nn.DataParallel, DistributedDataParallel)):
            inner = model.module
        if inner is None:
            break
        model = inner
    for name, module in model.named_modules():
        if {"_orig_mod", "_fsdp_wrapped_module"} & dict(module.named_children()).keys() or (
            isinstance(module, AveragedModel)
        ):
            raise ValueError(
                f"{f'model.{name}' if name else 'model'} is wrapped in {type(module).__name__}, "
                f"which changes the names of the weights: pass the network itself; "
                f"TrainConfig(compile=True) compiles it"
            )
    return model


def _check_output(out: object, keep: Any, checkpoint_every: Any) -> None:
    """Check the arguments of `fit` that concern files."""
    if out is not None:
        if not isinstance(out, (str, os.PathLike)):
            raise TypeError(f"out must be the path of a folder, got {type(out).__name__}")
        if not os.fspath(out):
            raise ValueError("out must be the path of a folder, got an empty one")
    integer(keep, "keep", minimum=1)
    if checkpoint_every is not None:
        integer(checkpoint_every, "checkpoint_every", minimum=1)


class StopRequest:
    """Record a SIGINT (Ctrl-C) or SIGTERM instead of stopping at once; a context manager.

    A second Ctrl-C raises KeyboardInterrupt, which is safe, since files are always complete; but
    not with several processes, since `torchrun` passes on the Ctrl-C that the terminal has already
    sent to each. Signals keep their handlers if not `active`, and outside the main thread.

    Examples
    --------
    >>> with StopRequest(active=True) as stop:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     stop.signal_number == signal.SIGTERM
    True
    """

    def __init__(self, active: bool, single_process: bool = True) -> None:
        self.signal_number = 0  # 0: none received
        self._single_process = single_process
        self._active = active and threading.current_thread() is threading.main_thread()
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if self._active:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number and number == signal.SIGINT and self._single_process:
            raise KeyboardInterrupt
        self.signal_number = number
