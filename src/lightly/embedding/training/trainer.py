"""Training a model on pictures, and making the model of a checkpoint usable, in a child process."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import LightlyError
from lightly.embedding.pool import count_cores
from lightly.embedding.registry import EmbeddingModel, measure_sha256
from lightly.embedding.training.checkpoints import UnusableCheckpoint, read_checkpoint
from lightly.embedding.training.pixel_store import PixelStore
from lightly.embedding.training.settings import (
    ModelOptions,
    TrainingSettings,
    check_training_available,
    write_settings,
)

log = logging.getLogger("lightly.training")

CHECKPOINT_NAME = "checkpoint.safetensors"
_MODEL_NAME = "model.onnx"
_STATE_NAME = "state.safetensors"
_DONE_NAME = "trained.json"
_ERRORS_NAME = "training.log"
#: Changes whenever the same settings and pictures would give other weights.
_TRAINING_VERSION = "1"
_LOOK_INTERVAL_S = 0.5
_END_WAIT_S = 10.0
_MAX_ERROR_CHARACTERS = 2_000
_SHOWN_CHARACTERS = 200

Progress = Callable[[int, int, float], None]


class TrainingFailed(LightlyError):
    """The process that trains has ended too early. If memory is short, make
    `lightly_config.loader.batch_size`, `model.width` or `collate.input_size` smaller.
    """

    code = "training_failed"


@dataclass(frozen=True)
class TrainedModel:
    """What a training leaves.

    Attributes:
        model: To embed with.
        checkpoint: Its weights, to go on from or to use again.
        losses: Mean loss of each epoch.
    """

    model: EmbeddingModel
    checkpoint: Path
    losses: tuple[float, ...]


def train_model(
    pixels: PixelStore,
    settings: TrainingSettings,
    folder: Path,
    *,
    pixels_key: str,
    start: Path | None = None,
    n_threads: int | None = None,
    check: Callable[[], None] = lambda: None,
    on_progress: Progress = lambda _done, _total, _loss: None,
) -> TrainedModel:
    """Train a model; what an earlier attempt has done in the same folder is not done again.

    Args:
        pixels: The pictures.
        settings: Of the training.
        folder: Where state, checkpoint and model are kept.
        pixels_key: Stands for the pictures.
        start: A checkpoint to begin with; its network counts, not that of the settings.
        n_threads: How many cores to use; default all that this process may use.
        check: Raises if the training shall not go on; asked twice a second.
        on_progress: Takes steps done, steps in all, and the mean loss of the epoch so far.

    Raises:
        TrainingUnavailable: If the extra 'train' is not installed.
        UnusableCheckpoint: If `start` is no checkpoint.
        TrainingFailed: If the process is lost.
        LightlyError: If the settings or the pictures do not allow to train.
    """
    check_training_available()
    began_with = "" if start is None else measure_sha256(start)
    text = write_settings(settings)
    parts = (_TRAINING_VERSION, text, pixels_key, began_with)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    shape = {"n_pictures": pixels.n_pictures, "side": pixels.side}
    job = {
        "settings": text,
        "pixels": {"path": str(pixels.path), "shape": shape},
        "start": None if start is None else str(start),
    }
    checkpoint = folder / CHECKPOINT_NAME
    return _make_model(job, folder, checkpoint, settings.model, key, n_threads, check, on_progress)


def open_checkpoint(
    checkpoint: Path,
    folder: Path,
    *,
    n_threads: int | None = None,
    check: Callable[[], None] = lambda: None,
) -> TrainedModel:
    """Return the model of a checkpoint, ready to embed with.

    Args:
        checkpoint: A file that a training has written.
        folder: Where the model is kept.
        n_threads: As `train_model`.
        check: As `train_model`.

    Raises:
        TrainingUnavailable: If the extra 'train' is not installed.
        UnusableCheckpoint: If the file is no checkpoint, or damaged.
        TrainingFailed: If the process is lost.
    """
    check_training_available()
    options = read_model_options(checkpoint)
    job = {"settings": "", "pixels": None, "start": str(checkpoint)}
    key = measure_sha256(checkpoint)
    return _make_model(job, folder, checkpoint, options, key, n_threads, check, lambda *_: None)


def read_model_options(checkpoint: Path) -> ModelOptions:
    """Return what network a checkpoint has the weights of.

    Raises:
        UnusableCheckpoint: If the file is no checkpoint, or damaged.
    """
    if not checkpoint.is_file():
        raise UnusableCheckpoint(f"There is no checkpoint {checkpoint.name[:200]!r}.")
    return read_checkpoint(checkpoint).settings.model


def _make_model(
    job: Mapping[str, Any],
    folder: Path,
    checkpoint: Path,
    options: ModelOptions,
    key: str,
    n_threads: int | None,
    check: Callable[[], None],
    on_progress: Progress,
) -> TrainedModel:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path, done_path = folder / _MODEL_NAME, folder / _DONE_NAME
    done = _find_done(done_path, key, path)
    if done is None:
        paths = {"checkpoint": checkpoint, "model": path, "state": folder / _STATE_NAME}
        whole_job = {
            **job,
            **{name: str(value) for name, value in paths.items()},
            "key": key,
            "n_threads": n_threads or count_cores(),
        }
        losses = _run_child(whole_job, folder / _ERRORS_NAME, check, on_progress)
        done = {"key": key, "sha256": measure_sha256(path), "losses": losses}
        write_atomic(done_path, json.dumps(done).encode())
    sha256 = str(done["sha256"])
    model = EmbeddingModel(
        id=f"trained-{sha256[:12]}",
        path=path,
        sha256=sha256,
        licence="of whoever trained it",
        dim=options.num_ftrs,
        input_name="images",
        output_name="embedding",
        rule=options.rule,
    )
    return TrainedModel(model, checkpoint, tuple(done["losses"]))


def _find_done(path: Path, key: str, model: Path) -> dict[str, Any] | None:
    try:
        done: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    is_whole = done.get("key") == key and model.is_file()
    return done if is_whole and measure_sha256(model) == done["sha256"] else None


def _run_child(
    job: Mapping[str, Any], errors: Path, check: Callable[[], None], on_progress: Progress
) -> list[float]:
    """Run the job to its end; return the losses."""
    with errors.open("wb") as log_file, _start_child(job, log_file) as child:
        for report in _read_reports(child, check):
            if report["kind"] == "progress":
                on_progress(report["n_done"], report["n_total"], report["loss"])
            elif report["kind"] == "refused":
                raise TrainingFailed(report["reason"])
            elif report["kind"] == "done":
                return [float(loss) for loss in report["losses"]]
    said = errors.read_text(errors="replace")[-_MAX_ERROR_CHARACTERS:].strip()
    log.error("The training process has ended:\n%s", said or "it has said nothing")
    reason = " ".join((TrainingFailed.__doc__ or "").split())
    # The last line of a traceback; one that was killed leaves none.
    last = said.rpartition("\n")[2]
    if re.match(r"[\w.]*(Error|Exception)\b", last):
        reason = f"{reason} It ended with {last[:_SHOWN_CHARACTERS]}"
    raise TrainingFailed(reason)


@contextmanager
def _start_child(job: Mapping[str, Any], log_file: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-P", "-m", "lightly.embedding.training.training_child"]
    threads = str(job["n_threads"])
    environment = os.environ | {"OMP_NUM_THREADS": threads, "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    child = subprocess.Popen(  # noqa: S603  our own module
        [*command, json.dumps(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log_file,
        env=environment,
    )
    try:
        yield child
    finally:
        # One that is done has nothing left to lose; one that is not is not wanted any more.
        child.kill()
        child.wait(_END_WAIT_S)
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()


def _read_reports(
    child: subprocess.Popen[bytes], check: Callable[[], None]
) -> Iterator[dict[str, Any]]:
    """Yield what the child says until it ends; ask in between whether to go on."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        assert child.stdout is not None  # noqa: S101  it is a pipe
        for line in child.stdout:
            lines.put(line)
        lines.put(b"")

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        while True:
            check()
            try:
                line = lines.get(timeout=_LOOK_INTERVAL_S)
            except queue.Empty:
                continue
            if not line:
                return
            yield json.loads(line)
    finally:
        child.kill()
        thread.join(_END_WAIT_S)
