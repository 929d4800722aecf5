"""Selections and the scores that they can go by."""

from __future__ import annotations

import warnings

import numpy as np

from battery.ledger import step
from battery.world import World, raises


@step("upload_scores")
def scores_are_uploaded(world: World) -> None:
    scores = np.linspace(0, 1, len(world.names))
    [initial] = [
        tag for tag in world.http.get(f"{world.dataset_path}/tags") if tag["name"] == "initial-tag"
    ]
    world.client.upload_scores({"uncertainty": scores}, initial["id"])
    path = f"{world.dataset_path}/tags/{initial['id']}/scores"
    [stored] = world.http.get(path)
    assert stored["scoreType"] == "uncertainty"
    assert world.http.get(f"{path}/{stored['id']}")["scores"] == scores.tolist()


@step("selection", since=(1, 2))
def a_selection_makes_a_tag(world: World) -> None:
    from lightly.active_learning.config.selection_config import SelectionConfig
    from lightly.openapi_generated.swagger_client.models.sampling_method import SamplingMethod

    client = world.client
    config = SelectionConfig(n_samples=4, method=SamplingMethod.CORESET, name="four")
    four = client.selection(config)
    more = client.selection(SelectionConfig(n_samples=6, name="six"), preselected_tag_id=four.id)
    drawn = client.selection(
        SelectionConfig(n_samples=3, method=SamplingMethod.RANDOM, name="three")
    )
    assert [tag["name"] for tag in world.http.get(f"{world.dataset_path}/tags")][-3:] == [
        "four", "six", "three",
    ]  # fmt: skip
    assert [int(tag.bit_mask_data, 16).bit_count() for tag in (four, more, drawn)] == [4, 6, 3]
    assert more.prev_tag_id == four.id


@step("sampling", until=(1, 2), ours=True)
def a_sampling_makes_a_tag(world: World) -> None:
    name = "a sampling"
    if world.line <= (1, 1):
        from lightly.active_learning.config.sampler_config import SamplerConfig as Config
    else:
        from lightly.active_learning.config.selection_config import SelectionConfig as Config
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    tag = world.client.sampling(Config(n_samples=5, name=name))
    assert (tag.name, int(tag.bit_mask_data, 16).bit_count()) == (name, 5)


@step("create_selection", since=(2, 0))
def a_selection_mixes_strategies(world: World) -> None:
    mixed = [{"type": "DIVERSITY"}, {"type": "WEIGHTS", "scoreType": "uncertainty"}]
    tag = world.client.create_selection("mixed", n_samples=5, strategies=mixed)
    assert (tag.name, int(tag.bit_mask_data, 16).bit_count()) == ("mixed", 5)
    more = world.client.create_selection("more", n_samples=2, preselected_tag_id=tag.id)
    assert int(more.bit_mask_data, 16).bit_count() == 7
    assert int(more.bit_mask_data, 16) & int(tag.bit_mask_data, 16) == int(tag.bit_mask_data, 16)


@step("get_selection_report", "get_selection_explanation", since=(2, 0))
def a_selection_is_explained(world: World) -> None:
    client = world.client
    tag = client.get_tag_by_name("mixed")
    report = client.get_selection_report(tag.id)
    assert report["tagId"] == tag.id
    assert [strategy["kind"] for strategy in report["strategies"]] == ["DIVERSITY", "WEIGHTS"]
    found = client.get_selection_explanation(tag.id)
    picked = sum(1 << index for index in found.indices.tolist())
    assert picked == int(tag.bit_mask_data, 16)
    assert (len(found.nearest), found.gains.shape) == (len(world.names), (5, 2))
    assert found.nearest[found.indices].tolist() == found.indices.tolist()
    assert set(found.nearest.tolist()) <= set(found.indices.tolist())
    initial = client.get_tag_by_name("initial-tag")
    assert "no report" in raises(Exception, client.get_selection_report, initial.id)


@step("find_near_duplicates", "score_outliers", since=(2, 0))
def near_duplicates_and_outliers_are_found(world: World) -> None:
    client, n_samples = world.client, len(world.names)
    everyone = client.find_near_duplicates(1e9)
    assert everyone.leaders.tolist() == [0] * n_samples
    nobody = client.find_near_duplicates(0, rule="star")
    assert len(nobody.leaders) == n_samples
    scores = client.score_outliers(n_neighbors=2).scores
    assert (len(scores), bool(np.isfinite(scores).all())) == (n_samples, True)


@step("cancel_job", since=(2, 0))
def a_selection_is_cancelled(world: World) -> None:
    # Those before keep the server busy while the last one waits.
    names = [f"before {number}" for number in range(4)] + ["never"]
    path = f"/ext/v1/datasets/{world.client.dataset_id}/selection"
    jobs = [
        world.http.post(path, {"newTagName": name, "nSamples": 3, "strategies": [{"type": "AUTO"}]})
        for name in names
    ]
    world.client.cancel_job(jobs[-1]["jobId"])
    job = world.http.get(f"/v1/jobs/{jobs[-1]['jobId']}")
    assert (job["status"], job["error"]) == ("FAILED", "The job was cancelled.")
    assert "never" not in [tag.name for tag in world.client.get_all_tags()]
    mixed = world.client.get_tag_by_name("mixed")
    ended = world.client.get_selection_report(mixed.id)["jobId"]
    assert "has ended" in raises(Exception, world.client.cancel_job, ended)
