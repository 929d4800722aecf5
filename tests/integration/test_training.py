"""Training on real images: it learns, repeats itself, survives its end, and trusts no file."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lightly.embedding.pool import embed_images
from lightly.embedding.registry import EmbeddingModel
from lightly.embedding.training.pixel_store import PixelStore, find_pixels, store_pixels
from lightly.embedding.training.settings import TrainingSettings, read_training_settings
from lightly.embedding.training.trainer import (
    TrainedModel,
    TrainingFailed,
    open_checkpoint,
    train_model,
)

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("training")]

pytest.importorskip("torch", reason="PyTorch is not installed: `make test-long` does that")
pytest.importorskip("onnxscript")

N_TRAINED, N_ASKED = 600, 400
#: Digits are written one way: mirrored or in other colours they would be something else.
SETTINGS = read_training_settings(
    {
        "trainer": {"maxEpochs": 8},
        "loader": {"batchSize": 32},
        "optimizer": {"lr": 1.5},
        "collate": {
            "inputSize": 8, "hfProb": 0.0, "cjProb": 0.0, "gaussianBlur": 0.0, "minScale": 0.5,
        },
    }
)  # fmt: skip


@dataclass(frozen=True)
class Digits:
    """Scans of written digits, and what they are."""

    paths: list[str]
    labels: NDArray[np.int64]
    pixels: PixelStore

    def measure(self, model: EmbeddingModel) -> float:
        """Return how often the five nearest known digits are right about an unknown one."""
        found = embed_images(self.paths, model=model, normalize=True, n_processes=1)
        vectors = np.array([one.vector for one in found])
        known, asked = vectors[:N_TRAINED], vectors[N_TRAINED:]
        nearest = np.argsort(-asked @ known.T, axis=1)[:, :5]
        votes = self.labels[:N_TRAINED][nearest]
        answers = np.array([np.bincount(row, minlength=10).argmax() for row in votes])
        return float((answers == self.labels[N_TRAINED:]).mean())


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """A thousand digits; the first ones are trained on."""
    from sklearn.datasets import load_digits

    folder, found = tmp_path_factory.mktemp("digits"), load_digits()
    paths = [str(folder / f"{number:04d}.png") for number in range(N_TRAINED + N_ASKED)]
    for path, image in zip(paths, found.images, strict=False):
        Image.fromarray((image / 16 * 255).astype(np.uint8)).save(path)
    images = ((path, None) for path in paths[:N_TRAINED])
    list(store_pixels(images, folder / "pixels", side=SETTINGS.stored_side, key="digits"))
    pixels = find_pixels(folder / "pixels", key="digits")
    assert pixels is not None
    return Digits(paths, found.target[: len(paths)], pixels)


@pytest.fixture(scope="module")
def trained(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    """A model that was trained on them."""
    return train(digits, SETTINGS, tmp_path_factory.mktemp("trained"))


def train(
    digits: Digits,
    settings: TrainingSettings,
    folder: Path,
    on_progress: Callable[[int, int, float], None] = lambda *_: None,
    check: Callable[[], None] = lambda: None,
) -> TrainedModel:
    """Train on one thread: sums of floats follow the number of threads."""
    return train_model(
        digits.pixels, settings, folder, pixels_key="digits", n_threads=1,
        on_progress=on_progress, check=check,
    )  # fmt: skip


def test_the_loss_falls_and_neighbours_get_better(
    digits: Digits, trained: TrainedModel, tmp_path: Path
) -> None:
    untrained = train(digits, replace(SETTINGS, max_epochs=0), tmp_path)
    assert len(trained.losses) == SETTINGS.max_epochs
    assert trained.losses[-1] < trained.losses[0] - 0.3
    before, after = digits.measure(untrained.model), digits.measure(trained.model)
    assert after > before + 0.2, (before, after)


def test_a_training_that_is_killed_goes_on_and_ends_as_without_that(
    digits: Digits, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, max_epochs=3)
    whole = train(digits, settings, tmp_path / "whole")

    class Enough(Exception):
        pass

    seen: list[int] = []

    def stop() -> None:
        # In the second epoch: the first one is kept.
        if seen and seen[-1] > 20:
            raise Enough

    with pytest.raises(Enough):
        train(digits, settings, tmp_path / "cut", lambda done, *_: seen.append(done), stop)
    assert not (tmp_path / "cut" / "model.onnx").exists()
    again: list[int] = []
    cut = train(digits, settings, tmp_path / "cut", lambda done, *_: again.append(done))
    assert again[0] > 18
    assert cut.losses == whole.losses
    assert cut.model.digest == whole.model.digest
    done: list[int] = []
    assert train(digits, settings, tmp_path / "cut", lambda n, *_: done.append(n)) == cut
    assert done == []


def test_a_checkpoint_gives_the_same_model_again(
    digits: Digits, trained: TrainedModel, tmp_path: Path
) -> None:
    opened = open_checkpoint(trained.checkpoint, tmp_path)
    assert opened.model.digest == trained.model.digest
    (vector,) = embed_images(digits.paths[:1], model=opened.model, n_processes=1)
    assert vector.vector is not None
    assert vector.vector.shape == (SETTINGS.model.num_ftrs,)


def test_a_training_begins_with_the_weights_of_a_checkpoint(
    digits: Digits, trained: TrainedModel, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, max_epochs=1)
    found = train_model(
        digits.pixels, settings, tmp_path, pixels_key="digits", start=trained.checkpoint,
        n_threads=1,
    )  # fmt: skip
    assert found.losses[0] < trained.losses[0] - 0.2


def test_half_precision_trains_too(digits: Digits, tmp_path: Path) -> None:
    found = train(digits, replace(SETTINGS, max_epochs=1, precision=16), tmp_path)
    assert np.isfinite(found.losses).all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-8], "is damaged"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "weights are not those that were saved"),
        (lambda data: b"\x80\x04cos\nsystem\n(S'exit 3'\ntR.", "is damaged, or of another kind"),
        (lambda _: b"", "is damaged, or of another kind"),
    ],
)
def test_damaged_and_foreign_files_are_refused(
    trained: TrainedModel, tmp_path: Path, change: Callable[[bytes], bytes], reason: str
) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(change(trained.checkpoint.read_bytes()))
    with pytest.raises(ValueError, match=reason):
        open_checkpoint(path, tmp_path / "model")


def test_weights_of_another_network_are_refused(trained: TrainedModel, tmp_path: Path) -> None:
    from lightly.embedding.training.checkpoints import read_checkpoint, write_checkpoint

    found = read_checkpoint(trained.checkpoint)
    model = replace(found.settings.model, width=2)
    path = tmp_path / "other.safetensors"
    write_checkpoint(path, replace(found, settings=replace(found.settings, model=model)))
    with pytest.raises(TrainingFailed, match="weights of another network"):
        open_checkpoint(path, tmp_path / "model")


def test_foreign_safetensors_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "foreign.safetensors"
    save_file({"weights": np.zeros(3, np.float32)}, path, {"format": "pt"})
    with pytest.raises(ValueError, match="was not written by a training of this platform"):
        open_checkpoint(path, tmp_path / "model")


def test_a_rate_that_is_too_high_is_named(digits: Digits, tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"optimizer\.lr` smaller"):
        train(digits, replace(SETTINGS, lr=1e30, max_epochs=2), tmp_path)


def test_the_process_that_trains_ends_with_its_parent(digits: Digits, tmp_path: Path) -> None:
    import subprocess
    import sys

    from lightly.embedding.training.settings import write_settings

    shape = {"n_pictures": digits.pixels.n_pictures, "side": digits.pixels.side}
    job = {
        "settings": write_settings(replace(SETTINGS, max_epochs=100)), "key": "k", "start": None,
        "pixels": {"path": str(digits.pixels.path), "shape": shape}, "n_threads": 1,
        **{name: str(tmp_path / name) for name in ("state", "checkpoint", "model")},
    }  # fmt: skip
    command = [sys.executable, "-m", "lightly.embedding.training.training_child", json.dumps(job)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        killer = threading.Timer(120, child.kill)
        killer.start()
        assert json.loads(child.stdout.readline())["kind"] == "progress"
        child.stdin.close()
        closed_s = time.monotonic()
        assert child.wait(60) == 1
        killer.cancel()
    assert time.monotonic() - closed_s < 30


def test_the_old_commands_train_and_embed_with_the_result(
    digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lightly.cli import embed_cli, lightly_cli, train_cli

    for variable in ("LIGHTLY_LAST_CHECKPOINT_PATH", "LIGHTLY_LAST_EMBEDDING_PATH"):
        # Whatever the commands leave there is gone afterwards.
        monkeypatch.setenv(variable, "")
    folder = tmp_path / "images"
    folder.mkdir()
    for path in digits.paths[:40]:
        (folder / Path(path).name).write_bytes(Path(path).read_bytes())
    words = {
        "input_dir": str(folder),
        "trainer": {"max_epochs": 1},
        "loader": {"batch_size": 16},
        "model": {"num_ftrs": 6},
        "collate": {"input_size": 8, "sigmas": "[0.2,1]"},
    }
    checkpoint = train_cli({**words, "hydra": {"run": {"dir": str(tmp_path / "trained")}}})
    assert checkpoint == str(tmp_path / "trained" / "lightly_epoch_1.safetensors")
    embed = {"input_dir": str(folder), "checkpoint": checkpoint}
    rows = Path(embed_cli({**embed, "hydra.run.dir": str(tmp_path / "e")})).read_text()
    assert rows.count("\n") == 41
    assert rows.splitlines()[0] == (
        "filenames,embedding_0,embedding_1,embedding_2,embedding_3,embedding_4,embedding_5,labels"
    )
    assert lightly_cli({**words, "hydra.run.dir": str(tmp_path / "m")}) is None
    assert (tmp_path / "m" / "embeddings.csv").read_text() == rows
