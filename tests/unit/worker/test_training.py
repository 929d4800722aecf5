"""Which runs may train, before anything is listed or read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lightly.embedding.training.settings import read_training_settings
from lightly.worker.errors import RunRefused
from lightly.worker.runs.datapool import Datapool
from lightly.worker.runs.training import choose_run_model, train_if_asked

TRAINING = read_training_settings({"model": {"numFtrs": 5}})


def make_context(*, holds_videos: bool = False, **options: Any) -> Any:
    """Return as much of a run as is looked at."""
    chosen = {"training": TRAINING, "checkpoint_run_id": "", "docker": {}} | options
    return SimpleNamespace(
        options=SimpleNamespace(**chosen),
        holds_videos=holds_videos,
        lease=SimpleNamespace(shall_end=False),
    )


def test_a_run_that_trains_nothing_has_the_shipped_model() -> None:
    context = make_context(training=None)
    model = choose_run_model(context)
    assert model.id == "efficientnet-lite0-fp16"
    nothing: Any = None
    assert train_if_asked(context, model, nothing, nothing, nothing) is model


@pytest.mark.parametrize("options", [{}, {"training": None, "checkpoint_run_id": "0" * 24}])
def test_without_the_extra_a_run_is_refused_with_the_remedy(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lightly.embedding.training.settings._LIBRARIES", ("no_such_library",))
    with pytest.raises(RunRefused, match=r"pip install 'lightly-platform\[train\]'"):
        choose_run_model(make_context(**options))


def test_a_training_on_videos_is_refused() -> None:
    with pytest.raises(RunRefused, match="trains on images, not on videos"):
        choose_run_model(make_context(holds_videos=True))


def test_a_training_beside_embeddings_of_another_model_is_refused() -> None:
    datapool = Datapool(["a.jpg"], np.zeros((1, 5), np.float32))
    nothing: Any = None
    with pytest.raises(RunRefused, match=r"worker_config\.checkpoint_run_id instead"):
        train_if_asked(make_context(), nothing, nothing, nothing, datapool)
