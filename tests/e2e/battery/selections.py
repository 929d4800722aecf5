"""Selections and the scores that they can go by."""

from __future__ import annotations

import warnings

import numpy as np

from battery.ledger import step
from battery.world import World


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
