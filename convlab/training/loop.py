"""The training loop: read `_train_step` first, then `_train_epoch`, then `fit`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from convlab.data import Dataset, split_validation
from convlab.data.dataset import PARTS
from convlab.training.batches import Batches, make_batches
from convlab.training.checks import check_fit, check_logits, check_sizes
from convlab.training.config import TrainConfig
from convlab.training.distributed import World, joined
from convlab.training.evaluation import Evaluation, evaluate
from convlab.training.failures import NonFiniteLoss
from convlab.training.history import Epoch, History
from convlab.training.joint_norm import joint_batch_norm
from convlab.training.precision import arithmetic, at_least_float32, autocast, float_type
from convlab.training.progress import watched
from convlab.training.randomness import derived_seed, seed_everything
from convlab.training.result import FitResult
from convlab.training.schedule import learning_rate
from convlab.training.state import TrainState, identity
from convlab.training.stopping import Interrupted, StopRequest
from convlab.training.store import Store

ASK_EVERY = 10  # steps between two questions to the other processes whether to stop


def fit(
    model: nn.Module,
    data: Dataset,
    config: TrainConfig | None = None,
    *,
    out: str | PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    keep: int = 2,
    progress: bool | None = None,
    on_epoch: Callable[[Epoch], object] | None = None,
) -> FitResult:
    """Train a network, and evaluate it on the test images once, at the end.

    With `out`, the state is saved after each epoch, and the same call continues from there,
    whatever ended the process before: the final weights are those of a training that nothing
    interrupted, bit for bit on a CPU, and on a GPU with ``config.deterministic``.

    Parameters
    ----------
    model : nn.Module
        Takes ``(N, C, H, W)`` in the type of its weights, returns logits ``(N, classes)``. It is
        moved to the device and trained in place. Its first weights are the caller's affair; a
        continued training takes all weights from the checkpoint.
    data : Dataset
        From `convlab.data.load`. If it has no validation images, `config.validation` says which
        share of its training images become such.
    config : TrainConfig, optional
        The settings; by default ``TrainConfig()``.
    out : path, optional
        Folder for checkpoints, ``history.csv``, ``history.jsonl``, and at the end ``model.pt``
        (the weights) and ``result.json``. Made if missing.
    checkpoint_every : int, optional
        Save after so many steps too, at least 1; for epochs that take long.
    keep : int
        How many checkpoints stay, at least 1.
    progress : bool, optional
        Show a bar; by default if standard error is a terminal.
    on_epoch : callable, optional
        Called with each entry of the history as it comes, in process 0.

    Returns
    -------
    FitResult
        The model in eval mode, the history, and how good it is.

    Raises
    ------
    TypeError, ValueError
        If an argument is no such thing; if the images do not suit the settings, or the model's
        outputs the labels; if `out` holds a training with other settings, another model or
        other images.
    NonFiniteLoss
        If the loss is infinite or no number. This is noticed before the next checkpoint is
        written, so the files hold the last good state.
    CheckpointError
        If `out` has checkpoints and none can be read.
    FolderInUse
        If another process trains into `out` at this moment.
    OSError
        If `out` cannot be written to. What was there stays whole.
    WorkerLost
        If another process of the job has ended.
    Interrupted
        After Ctrl-C or SIGTERM, with `out` only: the state is saved.

    Notes
    -----
    Python's, NumPy's and PyTorch's shared generators are seeded from `config.seed`.

    Examples
    --------
    >>> from convlab.data import load
    >>> from convlab.models import LeNet5
    >>> result = fit(LeNet5(), load("digits"), TrainConfig(epochs=1, learning_rate=0.01))
    >>> result.test.count, len(result.history)
    (355, 1)
    """
    config = config or TrainConfig()
    check_fit(model, data, config, out, keep, checkpoint_every)
    check_sizes(config, data.image_shape)
    if config.validation and not len(data.validation_labels):
        data = split_validation(data, config.validation, derived_seed(config.seed, "split"))
    with ExitStack() as stack:
        world = stack.enter_context(joined(config.device))
        stack.enter_context(arithmetic(config))
        folder = Path(out) if out is not None else None
        training = _Training(model, data, config, world, folder, checkpoint_every, keep, progress)
        if world.size > 1:  # only so are two processes the training of one
            stack.enter_context(joint_batch_norm(model))
        stack.callback(training.close)
        training.resume()
        stop = StopRequest(active=folder is not None, alone=world.size == 1)
        training.on_epoch = on_epoch if world.rank == 0 else None
        training.stop = stack.enter_context(stop)
        training.run()
        return training.result()


class _Training:
    """One call of `fit`: what stays the same during it, and the state that does not."""

    def __init__(
        self, model: nn.Module, data: Dataset, config: TrainConfig, world: World,
        folder: Path | None, checkpoint_every: int | None, keep: int, progress: bool | None,
    ) -> None:  # fmt: skip
        self.data, self.config, self.world = data, config, world
        self.every = checkpoint_every
        self.progress = progress if world.rank == 0 else False
        self.batches: Batches = make_batches(
            data.train_images, data.train_labels, data.mean, data.std, config, world
        )
        self.total_steps = config.epochs * self.batches.steps
        self.classes = 1 + max(  # those that occur
            int(labels.max()) for part in PARTS if len(labels := getattr(data, f"{part}_labels"))
        )
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        self.model = model.to(world.device, memory_format=layout)  # type: ignore[call-overload]
        self.state = TrainState(self.model, config, world)
        self.kind = float_type(model)
        self.history = History()
        self.on_epoch: Callable[[Epoch], object] | None = None
        self.store = None
        if folder is not None:
            self.store = Store(folder, keep, world, identity(model, data, config, world))
        self.stop = StopRequest(active=False)
        # Each process draws its own dropout.
        seed_everything(derived_seed(config.seed, "layers", world.rank))

    def resume(self) -> None:
        """Continue from the newest checkpoint, if there is one."""
        if self.store is not None:
            self.history = self.store.resume(self.state)

    def close(self) -> None:
        """Leave the folder to others."""
        if self.store is not None:
            self.store.close()

    def run(self) -> None:
        """Train until the last epoch has ended."""
        called = self.world.wrap(self.model)
        if self.config.compile:
            called = torch.compile(called)  # type: ignore[assignment]
        while self.state.step < self.total_steps:
            self._train_epoch(called)
            self._save()
            if self.on_epoch is not None:
                self.on_epoch(self.history[-1])
            self._stop_if_asked()

    def _train_epoch(self, called: nn.Module) -> None:
        """Train to the end of an epoch, from wherever in it the state is."""
        state, steps = self.state, self.batches.steps
        epoch, first = divmod(state.step, steps)
        if first == 0:
            state.new_epoch()
        called.train()
        state.start_clock()
        batches = self.batches.epoch(epoch, first)
        title = f"epoch {epoch + 1}/{self.config.epochs}"
        for images, labels in watched(batches, steps, first, title, self.progress):
            self._train_step(called, images, labels)
            if state.step % steps:  # the end of the epoch is seen to by `run`
                self._between_steps()
        loss_sum, correct = self.world.total(state.totals).tolist()  # waits for the device
        state.read_clock()
        self._check()
        seen = steps * self.batches.batch
        validation = self._evaluate("validation")
        self.history.append(
            Epoch(
                epoch + 1, state.step, learning_rate(state.step - 1, self.total_steps, self.config),
                loss_sum / seen, correct / seen,
                validation.loss if validation else None,
                validation.accuracy if validation else None,
                state.seconds, seen / state.seconds,
            )
        )  # fmt: skip

    def _train_step(self, called: nn.Module, images: Tensor, labels: Tensor) -> None:
        """Forward, loss, backward, update. Nothing in here waits for the device."""
        state, config = self.state, self.config
        rate = learning_rate(state.step, self.total_steps, config)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        with autocast(config, self.world.device):
            logits = called(images.to(self.kind))
        check_logits(logits, len(images), self.classes)
        loss_sum = functional.cross_entropy(
            at_least_float32(logits), labels, label_smoothing=config.label_smoothing,
            reduction="sum",
        )  # fmt: skip
        # The mean over the joint batch. DDP divides by the number of processes once more.
        loss = loss_sum * (self.world.size / self.batches.batch)
        state.optimizer.zero_grad(set_to_none=True)
        state.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        if config.clip_norm is not None:
            state.scaler.unscale_(state.optimizer)
            nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        state.scaler.step(state.optimizer)
        state.scaler.update()
        state.count(loss_sum, (logits.detach().argmax(1) == labels).sum())
        state.step += 1

    def _between_steps(self) -> None:
        """Save or stop within an epoch, if it is time to."""
        step = self.state.step
        if self.every is not None and step % self.every == 0:
            self._check()
            self._save()
        if self.world.size == 1 or step % ASK_EVERY == 0:
            self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        number = self.world.highest_number(self.stop.signal_number)
        if number:
            self._check()
            self._save()
            where = self.store.folder if self.store is not None else "nowhere"
            raise Interrupted(
                f"stopped after step {self.state.step} of {self.total_steps}; the state is saved "
                f"in {where}: start the same command again to continue",
                number,
            )

    def _check(self) -> None:
        """Raise if a loss was no finite number, before anything is saved."""
        step = self.state.bad_step()
        if step is None:
            return
        epoch, within = divmod(step, self.batches.steps)
        raise NonFiniteLoss(
            step, epoch + 1, learning_rate(step, self.total_steps, self.config),
            self.batches.positions(epoch, within),
            self.store.newest() if self.store is not None else None,
        )  # fmt: skip

    def _save(self) -> None:
        if self.store is not None:
            self.store.save(self.state, self.history)

    def _evaluate(self, part: str) -> Evaluation | None:
        images, labels = (getattr(self.data, f"{part}_{what}") for what in ("images", "labels"))
        if not len(labels):
            return None
        with autocast(self.config, self.world.device):
            return evaluate(self.model, images, labels, mean=self.data.mean, std=self.data.std,
                            world=self.world)  # fmt: skip

    def result(self) -> FitResult:
        """Evaluate the final weights and write them down."""
        self.model.eval()
        result = FitResult(
            self.model, self.history, self._evaluate("validation"), self._evaluate("test"),
            self.data.mean, self.data.std,
        )  # fmt: skip
        if self.store is not None and self.world.rank == 0:
            result.write(self.store.folder, self.config)
        return result
