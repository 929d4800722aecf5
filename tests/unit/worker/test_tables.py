"""The tables of a run: what they hold, and that a run leaves them whatever else it leaves."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow.parquet as pq
import pytest

from lightly.selection import Diversity, measure_coverage_curve, select
from lightly.worker.report.balances import BalanceFacts
from lightly.worker.report.content import make_report
from lightly.worker.report.facts import MetadataValues, RunFacts, SelectionFacts
from lightly.worker.runs import artifacts
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.data import RunData
from lightly.worker.runs.excluded import CORRUPT, ExcludedFiles, InputCounts
from lightly.worker.runs.selecting import Selection
from lightly.worker.runs.tables import find_nearest_removed, list_selected, list_tables, save_tables
from lightly.worker.shards.records import FileRecord, write_records

N = 12
PICKS = np.array([7, 3])


@pytest.fixture
def found() -> SelectionFacts:
    generator = np.random.default_rng(3)
    return SelectionFacts(
        embeddings=generator.normal(size=(N, 4)).astype(np.float32),
        datapool=generator.normal(size=(2, 4)).astype(np.float32),
        picks=PICKS,
        random=np.array([0, 1]),
        names={place: f"{place:02}.jpg" for place in range(N)},
        numbers={"luminance": np.arange(N, dtype=float)},
        categories={"weather": ["sun", "rain"] * (N // 2)},
        of_datapool=MetadataValues({"luminance": np.array([50.0, 70.0])}, {"weather": ["fog"] * 2}),
    )


@pytest.fixture
def content(found: SelectionFacts) -> dict[str, Any]:
    run = RunFacts(
        run_id="1" * 24, run_url="http://server/runs/1", dataset_id="2" * 24, dataset_name="pets",
        dataset_url="http://server/datasets/2", started_s=1.0, ended_s=2.0,
        counts=InputCounts(N, N, 0, 0, 0, 0), engine_version="1",
    )  # fmt: skip
    return make_report(run, found)


def make_run(folder: Path) -> tuple[RunData, Selection]:
    """Return as much of a run as tables are made of."""
    records = [FileRecord(f"{place:02}.jpg", "good", sha256=bytes(32)) for place in range(N)]
    write_records(folder / "0.arrow", records)
    rows = np.arange(N, dtype=np.int32)
    candidates = Candidates(
        [folder / "0.arrow"], np.zeros(N, np.int32), rows, np.empty((0, 4), np.float32)
    )
    data = cast("RunData", SimpleNamespace(candidates=candidates))
    selection = SimpleNamespace(picks=PICKS, distances=np.array([np.inf, 0.5]))
    return data, cast("Selection", selection)


def test_each_pick_is_listed_with_its_nearest_removed_image(
    tmp_path: Path, found: SelectionFacts
) -> None:
    rows = list_selected(*make_run(tmp_path), found).to_pylist()
    assert [row["file_name"] for row in rows] == ["07.jpg", "03.jpg"]
    gaps = np.linalg.norm(found.embeddings[7] - found.embeddings.astype(float), axis=1)
    gaps[PICKS] = np.inf
    assert rows[0]["nearest_removed"] == f"{gaps.argmin():02}.jpg"
    assert rows[0]["distance_to_removed"] == pytest.approx(gaps.min())


def test_where_everything_is_selected_nothing_removed_is_near(
    tmp_path: Path, found: SelectionFacts
) -> None:
    everything = SelectionFacts(**{**vars(found), "picks": np.arange(N)})
    places, distances = find_nearest_removed(everything)
    assert places.tolist() == [-1] * N
    assert np.isnan(distances).all()


def test_sets_of_earlier_runs_have_their_metadata_too(content: dict[str, Any]) -> None:
    metadata = content["datasetAnalysis"]["metadataInformation"]
    luminance = metadata["lightlyNumeric"]["luminance"]
    assert luminance["preselectedDatapool"]["metrics"]["mean"] == 60
    assert luminance["selectedWithDatapool"]["metrics"]["mean"] == (50 + 70 + 7 + 3) / 4
    weather = metadata["customCategorical"]["weather"]
    assert weather["preselectedDatapool"]["counts"] == {"fog": 2}
    assert weather["selectedWithDatapool"]["counts"] == {"fog": 2, "rain": 2}


def test_what_the_report_shows_is_in_tables(content: dict[str, Any]) -> None:
    halves = np.array([0.5, 0.5])
    balance = BalanceFacts(
        title="weather", names=["sun", "rain"], target=halves, before=halves, after=halves
    )
    vectors = np.array([[0.0], [4.0], [1.0]], np.float32)
    result = select(n_samples=2, strategies=[Diversity(vectors)])
    tables = list_tables(content, [balance], measure_coverage_curve(result, vectors, n_draws=3))
    assert set(tables) == {"distributions", "categories", "balances", "coverage"}
    means = {(row["name"], row["set"]): row["mean"] for row in tables["distributions"].to_pylist()}
    assert means["luminance", "input"] == 5.5
    assert ("distanceToCoverInput", "selected") in means
    counted = {
        (row["name"], row["set"], row["category"]): row["count"]
        for row in tables["categories"].to_pylist()
    }
    assert counted["weather", "input", "sun"] == N // 2
    assert tables["balances"].to_pylist()[1]["class"] == "rain"
    assert tables["coverage"].column("radius").to_pylist() == [4.0, 1.0]
    assert len(tables["coverage"].column("random_radius")) == 2


@pytest.mark.parametrize("stores_embeddings", [False, True])
def test_tables_lie_beside_the_input_in_both_forms(tmp_path: Path, stores_embeddings: bool) -> None:
    written: dict[str, bytes] = {}
    context = SimpleNamespace(
        claim=SimpleNamespace(run_id="r"),
        folder=SimpleNamespace(path=tmp_path.joinpath),
        lightly_side=SimpleNamespace(write=written.update),
        options=SimpleNamespace(stores_selected_embeddings=stores_embeddings),
    )
    with ExcludedFiles(tmp_path / artifacts.EXCLUDED_NAME) as excluded:
        excluded.add("=bad.jpg", CORRUPT, "broken")
    (tmp_path / artifacts.EMBEDDINGS_NAME).write_text("filenames,embedding_0,labels\n")
    save_tables(cast("RunContext", context), {"selected": list_selected(*make_run(tmp_path))})
    names = {f"{table}.{form}" for table in ("selected", "excluded") for form in ("csv", "parquet")}
    more = {"selected_embeddings.csv"} if stores_embeddings else set()
    assert set(written) == {f".lightly/runs/r/{name}" for name in names | more}
    table = pq.read_table(io.BytesIO(written[".lightly/runs/r/excluded.parquet"]))
    assert table.to_pylist() == [
        {"file_name": "=bad.jpg", "excluded_as": "corrupt", "reason": "broken"}
    ]
    rows = list(csv.reader(io.StringIO(written[".lightly/runs/r/selected.csv"].decode())))
    assert rows[1][0] == "07.jpg"
