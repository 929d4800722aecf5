"""Reports are small whatever was selected; what grows is in columns, readable in parts."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from lightly.selection import (
    Balance,
    Diversity,
    Typicality,
    Weights,
    explain_selection,
    measure_coverage_curve,
    select,
)
from lightly.server.selections import columns
from lightly.server.selections.columns import cut_block, list_blocks, pack_columns
from lightly.server.selections.models import ColumnInfo, ReportContent
from lightly.server.selections.reports import MAX_LISTED, make_report
from tests.support.extension import check_schema

VECTORS = np.random.default_rng(3).normal(size=(3_000, 4)).astype(np.float32)


def write(body):
    """Return a report's body as it is stored and served."""
    text = orjson.dumps(body)
    return orjson.loads(text), len(text)


def make_full_report(n_picks, n_classes):
    strategies = [
        Diversity(VECTORS, min_distance=0.0),
        Weights(np.arange(3_000.0), min_sum=1e9),
        Balance(np.arange(3_000) % n_classes, target="UNIFORM"),
        Typicality(VECTORS[:, :2]),
    ]
    result = select(n_samples=n_picks, strategies=strategies)
    return make_report(
        result,
        {"newTagName": "picked"},
        explanation=explain_selection(result),
        curve=measure_coverage_curve(result, n_draws=2, n_measured=50),
        class_names={2: [f"class {number}" for number in range(n_classes)]},
    )


def test_a_report_is_as_the_document_says():
    content = make_full_report(5, 10)

    body, _ = write(content.body | {"tagId": "a" * 24, "jobId": "b" * 24, "createdAt": 1})

    check_schema(body, "SelectionReport")
    diversity, weights, balance, typicality = body["strategies"]
    assert diversity["minDistance"] == 0.0
    assert set(diversity["coverage"]) == {"radius", "meanDistance", "nMeasured", "nSamples"}
    assert (weights["isBelowRange"], weights["nMissing"]) == (True, 0)
    assert balance["classes"][3] == "class 3"
    assert balance["target"] == pytest.approx([0.1] * 10)
    assert typicality["kind"] == "TYPICALITY"


def test_a_report_stays_small():
    _, small = write(make_full_report(20, 2_900).body)
    body, large = write(make_full_report(2_000, 2_900).body)

    assert large < 1.2 * small < 200_000
    assert (len(body["strategies"][2]["mix"]), body["strategies"][2]["nClasses"]) == (
        MAX_LISTED,
        2_900,
    )


def test_columns_hold_what_the_engine_found():
    content = make_full_report(50, 10)

    found = {info.name: (info, values) for info, values in content.columns}

    assert [column["name"] for column in content.body["columns"]] == list(found)
    assert {name: info.length for name, (info, _) in found.items()} == {
        "picks": 50,
        "gains.0": 50,
        "gains.1": 50,
        "gains.2": 50,
        "gains.3": 50,
        "earlier": 50,
        "earlierDistances": 50,
        "nearest": 3_000,
        "distances": 3_000,
    }
    assert all(len(values) == info.length for info, values in found.values())


def test_distances_that_diversity_knows_need_no_explanation():
    strategies = [Weights(np.arange(3_000.0)), Diversity(VECTORS)]
    result = select(n_samples=5, strategies=strategies)

    content = make_report(
        result, {}, explanation=None, curve=None, unexplained_because="It is too large."
    )

    columns = {info.name: values for info, values in content.columns}
    assert columns["earlierDistances"].tolist() == result.distances.tolist()
    assert set(columns) == {"picks", "gains.0", "gains.1", "earlierDistances"}


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (3, 4), (4, 8), (7, 10), (5, 5), (10, 10)])
def test_any_part_of_a_column_can_be_cut_out_of_its_blocks(start, stop, monkeypatch):
    monkeypatch.setattr(columns, "BLOCK_VALUES", 4)
    info = ColumnInfo("picks", "<i8", 10, "pick")
    values = np.arange(10) * 7
    blocks = {
        block: packed for _, block, packed in pack_columns(ReportContent({}, [(info, values)]))
    }

    pieces = [cut_block(blocks[n], info, n, start, stop) for n in list_blocks(start, stop)]

    assert sorted(blocks) == [0, 1, 2]
    assert np.frombuffer(b"".join(pieces), dtype="<i8").tolist() == values[start:stop].tolist()
