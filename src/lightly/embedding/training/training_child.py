"""The process that trains: PyTorch, its memory and its faults stay out of whoever started it.

It takes a job as JSON, writes one JSON object per line, and ends when its standard input is closed:
nobody is left to train for then.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import torch

from lightly._kit.errors import LightlyError
from lightly.embedding.training.checkpoints import (
    MODEL_PREFIX,
    Checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from lightly.embedding.training.exporting import export_model
from lightly.embedding.training.fitting import fit, load_weights
from lightly.embedding.training.pixel_store import PixelStore
from lightly.embedding.training.resnet import ContrastiveModel
from lightly.embedding.training.settings import parse_settings

#: Progress is told at most this often.
_REPORT_INTERVAL_S = 0.5

Tell = Callable[[Mapping[str, Any]], None]


def run_job(job: Mapping[str, Any], tell: Tell) -> None:
    """Train if the job has pictures; then write the checkpoint and the ONNX file.

    Args:
        job: `settings`, `pixels` and `key` of a training or None, `start` (a checkpoint or None),
            and the paths `state`, `checkpoint` and `model` to write.
        tell: Takes what there is to report.
    """
    start = None if job["start"] is None else read_checkpoint(Path(job["start"]))
    if job["pixels"] is not None:
        pixels = PixelStore(Path(job["pixels"]["path"]), **job["pixels"]["shape"])
        state = fit(
            pixels.open(),
            parse_settings(job["settings"]),
            Path(job["state"]),
            key=job["key"],
            start=None if start is None else start.tensors,
            report=_report_sometimes(tell),
        )
        kept = {name: v for name, v in state.tensors.items() if name.startswith(MODEL_PREFIX)}
        start = Checkpoint(state.settings, state.n_epochs, kept, state.losses, state.key)
        write_checkpoint(Path(job["checkpoint"]), start)
    assert start is not None  # noqa: S101  a job has one or the other
    tell({"kind": "exporting"})
    model = ContrastiveModel(start.settings.model)
    load_weights(model, start.tensors)
    export_model(model, start.settings.model, Path(job["model"]))
    tell({"kind": "done", "losses": start.losses, "n_epochs": start.n_epochs})


def _report_sometimes(tell: Tell) -> Callable[[int, int, float], None]:
    told_at = 0.0

    def report(n_done: int, n_total: int, loss: float) -> None:
        nonlocal told_at
        if n_done == n_total or time.monotonic() - told_at > _REPORT_INTERVAL_S:
            told_at = time.monotonic()
            tell({"kind": "progress", "n_done": n_done, "n_total": n_total, "loss": loss})

    return report


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> None:
    """Run the child; its job is the only argument, as JSON."""
    # The pipe is for reports alone: libraries print where errors go.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["n_threads"])
    cv2.setNumThreads(0)

    def tell(report: Mapping[str, Any]) -> None:
        replies.write(json.dumps(report) + "\n")

    try:
        run_job(job, tell)
    except LightlyError as error:
        tell({"kind": "refused", "reason": str(error)})


if __name__ == "__main__":
    main()
