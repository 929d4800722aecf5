"""What users bring along or earlier runs have found out is not computed again."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightly.utils.io import load_embeddings
from tests.support.pictures import draw_folder
from tests.support.worker_runs import LocalPlace, ScheduledRun, run_local_place

N_PICTURES, N_SELECTED = 20, 5


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPlace]:
    """A server beside pictures."""
    with run_local_place(tmp_path_factory.mktemp("place")) as running:
        running.draw("pictures", N_PICTURES)
        yield running


def schedule(place: LocalPlace, name: str, **options: Any) -> ScheduledRun:
    """Schedule a run without a report, which would take most of the time."""
    return place.schedule(name, "pictures", upload_report=False, **options)


def load_vectors(run: ScheduledRun, path: Path) -> dict[str, list[float]]:
    """Return the embeddings that a run has stored, by name."""
    embedding = run.client.get_embedding_by_name("default")
    run.client.download_embeddings_csv_by_id(embedding.id, str(path))
    vectors, _, names = load_embeddings(str(path))
    return dict(zip(names, vectors.tolist(), strict=True))


def test_another_run_on_known_images_embeds_new_ones_only_and_gives_the_same(
    place: LocalPlace, tmp_path: Path
) -> None:
    worker = place.make_worker()
    first = schedule(place, "first", n_samples=N_SELECTED)
    worker.finish_runs()
    second = schedule(place, "second", n_samples=N_SELECTED)
    without = schedule(place, "without", n_samples=N_SELECTED, cache_size=0)
    worker.finish_runs()
    log = worker.read_log()
    assert log.count(f"Examined {N_PICTURES} files; 0 of them were known from before.") == 2
    assert log.count(f"Examined {N_PICTURES} files; {N_PICTURES} of them were known") == 1
    vectors = [load_vectors(run, tmp_path / "e.csv") for run in (first, second, without)]
    assert vectors[0] == vectors[1] == vectors[2]
    # Pictures that take the place of others under their names are new.
    draw_folder(place.root / "input" / "pictures", N_PICTURES, seed=7)
    replaced = schedule(place, "replaced", n_samples=N_PICTURES)
    worker.finish_runs()
    assert worker.read_log().count("files; 0 of them were known from before.") == 3
    found = load_vectors(replaced, tmp_path / "e.csv")
    assert all(found[name] != vector for name, vector in vectors[0].items())


def write_embeddings(place: LocalPlace, rows: dict[str, list[float]]) -> None:
    """Put a file with embeddings beside the pictures."""
    path = place.root / "lightly/pictures/.lightly/embeddings/mine.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["filenames", "embedding_0", "embedding_1", "masked", "labels"])
        writer.writerows([name, *vector, 0] for name, vector in rows.items())


def test_embeddings_of_a_file_steer_the_selection_and_are_stored(
    place: LocalPlace, tmp_path: Path
) -> None:
    names = sorted(
        str(path.relative_to(place.root / "input/pictures"))
        for path in (place.root / "input/pictures").rglob("*.*")
    )
    # All point one way but for two, of which one does not count.
    rows = {name: [1.0, number / 1000, 0] for number, name in enumerate(names)}
    rows[names[3]], rows[names[5]] = [-1.0, 0.5, 0], [0.0, -1.0, 1]
    write_embeddings(place, {name: rows[name] for name in reversed(names)})
    run = schedule(place, "custom", n_samples=2, embeddings="mine.csv")
    missing = {name: row for name, row in rows.items() if name != names[0]}
    worker = place.make_worker()
    worker.finish_runs()
    assert run.state[0] == "COMPLETED", run.state
    assert names[3] in run.names
    assert names[5] not in run.names
    stored = load_vectors(run, tmp_path / "e.csv")
    assert stored == {name: np.array(rows[name][:2], np.float32).tolist() for name in stored}
    assert run.state[1].startswith(f"Selected 2 of {N_PICTURES - 1} images; {N_PICTURES} listed")
    write_embeddings(place, missing)
    refused = schedule(place, "missing", n_samples=2, embeddings="mine.csv")
    worker.finish_runs()
    state, message = refused.state
    assert state == "FAILED"
    assert f"mine.csv': has no row for {names[0]!a}" in message
