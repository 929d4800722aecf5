"""The training itself: SimCLR, epoch by epoch, going on where an earlier attempt has ended."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lightly._kit.errors import BadInput, LightlyError
from lightly.embedding.pool import count_cores
from lightly.embedding.training.checkpoints import (
    MODEL_PREFIX,
    Checkpoint,
    Tensors,
    UnusableCheckpoint,
    read_checkpoint,
    write_checkpoint,
)
from lightly.embedding.training.loss import compute_contrastive_loss
from lightly.embedding.training.resnet import ContrastiveModel
from lightly.embedding.training.settings import TrainingSettings
from lightly.embedding.training.views import make_generator, make_view

MOMENTUM_PREFIX = "momentum."
_MOMENTUM = 0.9
#: `optimizer.lr` is for batches of so many pictures.
_REFERENCE_BATCH = 256
#: Share of all steps in which the rate rises to its full value.
_WARM_UP = 0.1
#: Batches that are made while one is worked on.
_BATCHES_AHEAD = 2

Report = Callable[[int, int, float], None]


class TrainingDiverged(LightlyError):
    """The loss is not a finite number any more. Make `lightly_config.optimizer.lr` smaller, or use
    `trainer.precision` 32.
    """

    code = "training_diverged"


@dataclass(frozen=True)
class _Plan:
    """How the steps of a training are numbered."""

    n_pictures: int
    batch_size: int
    steps_per_epoch: int
    n_epochs: int

    @property
    def n_steps(self) -> int:
        return self.steps_per_epoch * self.n_epochs


def fit(
    pixels: NDArray[np.uint8],
    settings: TrainingSettings,
    state_path: Path,
    *,
    key: str,
    start: Tensors | None = None,
    report: Report,
) -> Checkpoint:
    """Train, or go on training; return the state at the end.

    Args:
        pixels: uint8 of shape (n_pictures, stored_side, stored_side, 3).
        settings: Of the training.
        state_path: Where the state is kept after each epoch.
        key: Stands for settings and pictures: a state of others is not gone on from.
        start: Weights to begin with; None draws them by the seed.
        report: Takes steps done, steps in all, and the mean loss of the epoch so far.

    Raises:
        BadInput: If there are fewer than two pictures.
        TrainingDiverged: If the loss is not finite any more.
    """
    torch.manual_seed(settings.seed % 2**63)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    plan = _make_plan(len(pixels), settings)
    device = torch.device("cuda" if settings.gpus and torch.cuda.is_available() else "cpu")
    model = ContrastiveModel(settings.model).to(device).train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.0, momentum=_MOMENTUM, weight_decay=settings.weight_decay
    )
    trainer = _Trainer(model, optimizer, settings, plan, device, report)
    state = _find_state(state_path, key)
    if state is not None:
        load_weights(model, state.tensors)
        _load_momentum(model, optimizer, state.tensors)
    elif start is not None:
        load_weights(model, start)
    losses = list(state.losses) if state else []
    state = state or Checkpoint(settings, 0, collect_weights(model), key=key)
    for epoch in range(state.n_epochs, plan.n_epochs):
        losses.append(trainer.run_epoch(pixels, epoch))
        tensors = collect_weights(model) | _collect_momentum(model, optimizer)
        state = Checkpoint(settings, epoch + 1, tensors, tuple(losses), key)
        write_checkpoint(state_path, state)
    return state


class _Trainer:
    """One model on its way."""

    def __init__(
        self,
        model: ContrastiveModel,
        optimizer: torch.optim.SGD,
        settings: TrainingSettings,
        plan: _Plan,
        device: torch.device,
        report: Report,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._settings = settings
        self._plan = plan
        self._device = device
        self._report = report
        is_half_on_gpu = settings.precision == 16 and device.type == "cuda"
        # Float16 loses small gradients, so they are scaled up; bfloat16 of CPUs does not.
        self._scaler = torch.amp.GradScaler(device.type, enabled=is_half_on_gpu)

    def run_epoch(self, pixels: NDArray[np.uint8], epoch: int) -> float:
        """Show every picture once; return the mean loss."""
        total = 0.0
        batches = _make_batches(pixels, self._settings, self._plan, epoch)
        for number, (first, second) in enumerate(batches):
            step = epoch * self._plan.steps_per_epoch + number
            loss = self._run_step(first, second, step)
            if not math.isfinite(loss):
                raise TrainingDiverged(" ".join((TrainingDiverged.__doc__ or "").split()))
            total += loss
            self._report(step + 1, self._plan.n_steps, total / (number + 1))
        return total / self._plan.steps_per_epoch

    def _run_step(
        self, first: NDArray[np.float32], second: NDArray[np.float32], step: int
    ) -> float:
        rate = self._settings.lr * self._plan.batch_size / _REFERENCE_BATCH
        for group in self._optimizer.param_groups:
            group["lr"] = rate * schedule_rate(step, self._plan.n_steps)
        views = torch.from_numpy(np.concatenate([first, second])).to(self._device)
        with self._choose_precision():
            vectors = self._model(views)
        ours, theirs = vectors.split(len(first))
        loss = compute_contrastive_loss(ours, theirs, self._settings.temperature)
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return float(loss.detach())

    def _choose_precision(self) -> AbstractContextManager[Any]:
        if self._settings.precision == 32:
            return nullcontext()
        kind = torch.float16 if self._device.type == "cuda" else torch.bfloat16
        context: AbstractContextManager[Any] = torch.autocast(self._device.type, dtype=kind)
        return context


def schedule_rate(step: int, n_steps: int) -> float:
    """Return the share of the full rate for a step: up in a line, then down in half a cosine."""
    n_rising = max(1, round(_WARM_UP * n_steps))
    if step < n_rising:
        return (step + 1) / n_rising
    return (1 + math.cos(math.pi * (step - n_rising) / max(1, n_steps - n_rising))) / 2


def load_weights(model: ContrastiveModel, tensors: Tensors) -> None:
    """Give a network the weights of a checkpoint.

    Raises:
        UnusableCheckpoint: If they belong to another network.
    """
    wanted = model.state_dict()
    given = {
        name.removeprefix(MODEL_PREFIX): value
        for name, value in tensors.items()
        if name.startswith(MODEL_PREFIX)
    }
    shapes = {name: tuple(value.shape) for name, value in wanted.items()}
    if {name: value.shape for name, value in given.items()} != shapes:
        raise UnusableCheckpoint("The checkpoint has weights of another network than it says.")
    model.load_state_dict(
        {name: torch.from_numpy(np.array(value)) for name, value in given.items()}
    )


def collect_weights(model: ContrastiveModel) -> dict[str, NDArray[Any]]:
    """Return copies of the weights of a network, under the names of checkpoints."""
    return {
        MODEL_PREFIX + name: value.detach().cpu().numpy().copy()
        for name, value in model.state_dict().items()
    }


def _make_plan(n_pictures: int, settings: TrainingSettings) -> _Plan:
    if n_pictures < 2:
        raise BadInput(
            f"Training needs at least two pictures that can be decoded; there are {n_pictures}."
        )
    batch_size = min(settings.batch_size, n_pictures)
    n_steps, n_remaining = divmod(n_pictures, batch_size)
    # A single picture has nothing to be told from.
    if not settings.drop_last and n_remaining >= 2:
        n_steps += 1
    return _Plan(n_pictures, batch_size, n_steps, settings.max_epochs)


def _make_batches(
    pixels: NDArray[np.uint8], settings: TrainingSettings, plan: _Plan, epoch: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield both views of each batch of an epoch; a few batches are made ahead."""
    order = np.arange(plan.n_pictures)
    if settings.shuffle:
        order = make_generator(settings.seed, epoch, plan.n_pictures, 2).permutation(order)
    n_threads = count_cores() if settings.num_workers < 0 else max(1, settings.num_workers)
    with ThreadPoolExecutor(n_threads, thread_name_prefix="views") as threads:

        def ask(batch: NDArray[np.int64]) -> list[Future[NDArray[np.float32]]]:
            return [
                threads.submit(_make_one, pixels, int(picture), settings, epoch, view)
                for view in (0, 1)
                for picture in batch
            ]

        waiting: deque[list[Future[NDArray[np.float32]]]] = deque()
        for number in range(plan.steps_per_epoch):
            start = number * plan.batch_size
            waiting.append(ask(order[start : start + plan.batch_size]))
            if len(waiting) > _BATCHES_AHEAD:
                yield _take(waiting.popleft())
        while waiting:
            yield _take(waiting.popleft())


def _make_one(
    pixels: NDArray[np.uint8], picture: int, settings: TrainingSettings, epoch: int, view: int
) -> NDArray[np.float32]:
    random = make_generator(settings.seed, epoch, picture, view)
    return make_view(pixels[picture], settings.model.input_side, settings.views, random)


def _take(
    made: Sequence[Future[NDArray[np.float32]]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    views = [future.result() for future in made]
    half = len(views) // 2
    return np.stack(views[:half]), np.stack(views[half:])


def _find_state(path: Path, key: str) -> Checkpoint | None:
    """Return the state that an earlier attempt has left; None if there is none of this training."""
    try:
        state = read_checkpoint(path)
    except (FileNotFoundError, UnusableCheckpoint):
        return None
    return state if state.key == key else None


def _collect_momentum(
    model: ContrastiveModel, optimizer: torch.optim.SGD
) -> dict[str, NDArray[Any]]:
    found = {}
    for name, parameter in model.named_parameters():
        momentum = optimizer.state.get(parameter, {}).get("momentum_buffer")
        if momentum is not None:
            found[MOMENTUM_PREFIX + name] = momentum.detach().cpu().numpy().copy()
    return found


def _load_momentum(model: ContrastiveModel, optimizer: torch.optim.SGD, tensors: Tensors) -> None:
    for name, parameter in model.named_parameters():
        momentum = tensors.get(MOMENTUM_PREFIX + name)
        if momentum is not None:
            value = torch.from_numpy(np.array(momentum)).to(parameter.device)
            optimizer.state[parameter]["momentum_buffer"] = value
