"""What a report says of prediction tasks, and of what was balanced."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from PIL import Image
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from lightly.data.datasource_files.prediction_tasks import make_schema
from lightly.data.selection_plan.inputs import TaskPredictions
from lightly.data.selection_plan.planning import plan_selection, read_selection
from lightly.selection import select
from lightly.worker.report.balances import OTHERS, describe_balances, list_balances
from lightly.worker.report.content import make_report
from lightly.worker.report.facts import RunFacts, SelectionFacts
from lightly.worker.report.pdf import ReportPages, write_pdf
from lightly.worker.report.task_facts import TaskFacts, gather_task
from lightly.worker.report.task_pages import draw_balances, draw_task
from lightly.worker.report.tasks import describe_task
from lightly.worker.runs.excluded import InputCounts
from lightly.worker.runs.scoring import compute_scores

CONTRACT = Path(__file__).resolve().parents[3] / "openapi" / "openapi.json"
N_EARLIER, N = 4, 40
PICKS = np.array([1, 5, 9, 30])
SETS = {
    "input": N_EARLIER + np.arange(N),
    "selected": N_EARLIER + PICKS,
    "random": N_EARLIER + np.arange(0, N, 10),
    "preselectedDatapool": np.arange(N_EARLIER),
    "selectedWithDatapool": np.concatenate([np.arange(N_EARLIER), N_EARLIER + PICKS]),
}
#: Sample 0 has no objects, sample 1 a cat, sample 2 a cat and a dog, and so on.
IMAGES = [
    [
        {"category_id": number % 2, "bbox": [4 * number, 3, 20, 10 + number], "score": 0.6}
        for number in range(place % 4)
    ]
    for place in range(N_EARLIER + N)
]


@pytest.fixture
def facts() -> TaskFacts:
    schema = make_schema("object-detection", ["cat", "dog", "bird"])
    scores = compute_scores(schema, IMAGES)
    examples = [("a.jpg", IMAGES[3]), ("b.jpg", IMAGES[2])]
    return gather_task("pets", schema, IMAGES, scores, SETS, examples)


@pytest.fixture
def report(facts: TaskFacts) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    found = SelectionFacts(
        embeddings=generator.normal(size=(N, 4)).astype(np.float32),
        datapool=generator.normal(size=(N_EARLIER, 4)).astype(np.float32),
        picks=PICKS,
        random=np.arange(0, N, 10),
        names={place: f"{place}.jpg" for place in range(N)},
        numbers={"luminance": generator.random(N)},
        categories={},
    )
    run = RunFacts(
        run_id="1" * 24, run_url="http://server/runs/1", dataset_id="2" * 24, dataset_name="pets",
        dataset_url="http://server/datasets/2", started_s=1.0, ended_s=2.0,
        counts=InputCounts(N, N, 0, 0, 0, 0), engine_version="1",
    )  # fmt: skip
    return make_report(run, found, {"pets": describe_task(facts, len(IMAGES))})


def test_the_report_is_what_the_contract_describes(report):
    document = json.loads(CONTRACT.read_text())
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    registry = Registry().with_resource("contract", resource)
    schema = {"$ref": "contract#/components/schemas/ReportV2"}

    Draft202012Validator(schema, registry=registry).validate(json.loads(json.dumps(report)))


def test_classes_are_counted_in_each_set(report):
    task = report["predictionTaskInformation"]["pets"]

    assert task["taskType"] == "OBJECT_DETECTION"
    assert task["categoryIdToName"] == {"0": "cat", "1": "dog", "2": "bird"}
    chosen = [IMAGES[place] for place in SETS["selected"]]
    n_cats = sum(one["category_id"] == 0 for found in chosen for one in found)
    n_with = sum(any(one["category_id"] == 0 for one in found) for found in chosen)
    assert task["categoryDistribution"]["selected"]["counts"]["cat"] == n_cats
    assert task["categoryToImageWithCategoryCount"]["selected"]["counts"]["cat"] == n_with
    assert set(task["categoryDistribution"]) == set(SETS)


def test_images_without_an_object_count_as_none(report):
    counts = report["predictionTaskInformation"]["pets"]["categoryToCountsPerSample"]["dog"]

    # Two of three objects at most are cats, so no image has more than one dog.
    assert counts["bins"] == 2
    n_without = sum(not any(o["category_id"] == 1 for o in found) for found in IMAGES[N_EARLIER:])
    assert counts["input"]["counts"] == [n_without, N - n_without]


def test_each_score_has_a_distribution_over_all_sets(report):
    found = report["predictionTaskInformation"]["pets"]["activeLearningScoreDistributions"]

    assert set(found) >= {"object_frequency", "uncertainty_margin"}
    assert sum(found["uncertainty_margin"]["input"]["counts"]) == N
    assert sum(found["uncertainty_margin"]["preselectedDatapool"]["counts"]) == N_EARLIER


def test_examples_show_boxes_as_they_were_predicted(report):
    examples = report["predictionTaskInformation"]["pets"]["detectionTaskInformation"]
    first = examples["bboxExamples"][0]

    assert first["filename"] == "a.jpg"
    assert [one["bbox"] for one in first["predictions"]] == [one["bbox"] for one in IMAGES[3]]


def test_a_task_that_has_predicted_nothing_has_a_report():
    schema = make_schema("classification", ["sun", "rain"])
    nothing: list[list[Any]] = [[] for _ in IMAGES]
    scores = compute_scores(schema, nothing)

    facts = gather_task("weather", schema, nothing, scores, SETS, ())
    described = describe_task(facts, len(IMAGES))

    assert described["categoryDistribution"]["input"]["counts"] == {}
    assert "detectionTaskInformation" not in described
    assert draw_task(facts, described, {}).axes


class Weather:
    """Samples of which every fourth shows rain."""

    n_samples = 20

    def read_predictions(self, task):
        samples = [
            (place, [{"type": "CLASSIFICATION", "categoryId": int(place % 4 == 0)}])
            for place in range(self.n_samples)
        ]
        return TaskPredictions([(0, "sun"), (1, "rain"), (2, "snow")], samples)


def test_balance_is_told_as_asked_as_found_and_as_reached(facts, report, tmp_path):
    source = {"type": "PREDICTIONS", "task": "weather", "name": "CLASS_DISTRIBUTION"}
    strategy = {"type": "BALANCE", "target": {"rain": 0.5}}
    config = {"n_samples": 4, "strategies": [{"input": source, "strategy": strategy}]}
    plan = plan_selection(read_selection(config), Weather())
    result = select(n_samples=4, strategies=plan.strategies)

    (balance,) = list_balances(plan, result, n_earlier=0)

    assert list(balance.names) == ["rain", OTHERS]
    assert balance.target.tolist() == [0.5, 0.5]
    assert balance.before.tolist() == [0.25, 0.75]
    assert balance.after.tolist() == [0.5, 0.5]
    rain, _ = describe_balances([balance])["balances"][0]["classes"]
    assert rain == {"name": "rain", "target": 0.5, "input": 0.25, "selected": 0.5}
    path = tmp_path / "report.pdf"
    write_pdf(path, make_pages(report, facts, [balance]))
    assert path.read_bytes().startswith(b"%PDF")


def make_pages(report, facts, balances) -> ReportPages:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 120, 90)).save(buffer, "WEBP")
    pictures = {name: (buffer.getvalue(), 128, 96) for name, _ in facts.examples}
    content = report["predictionTaskInformation"]["pets"]
    return ReportPages(
        content=report, facts=[], curve=None, pictures=[], pairs=[], excluded=[],
        more=[lambda: draw_balances(balances), lambda: draw_task(facts, content, pictures)],
    )  # fmt: skip
