"""Union, intersection and difference of two tags."""

from __future__ import annotations

import sqlalchemy as sa

from lightly._kit.bitmask import combine_bitmasks
from lightly.openapi_generated.swagger_client.models.tag_arithmetics_request import (
    TagArithmeticsRequest,
)
from lightly.openapi_generated.swagger_client.models.tag_creator import TagCreator
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset
from lightly.server.platform import PlatformState
from lightly.server.runs.access import check_run_id, load_run
from lightly.server.tags.masks import read_mask
from lightly.server.tags.models import NewTag
from lightly.server.tags.service import create_tag_in, find_initial_tag, load_tag


def combine_tags(
    platform: PlatformState, caller: User, dataset_id: str, body: TagArithmeticsRequest
) -> bytes:
    """Return the mask that two tags combine to; nothing is stored."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        if body.run_id is not None:
            load_run(connection, caller, body.run_id)
        return _combine(connection, dataset, body)


def create_combined_tag(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    body: TagArithmeticsRequest,
    name: str,
) -> str:
    """Make a tag of what two tags combine to and return its id.

    The parent must be a superset: the first tag is one of every result but a union, which the
    initial tag takes.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        check_run_id(connection, caller, body.run_id)
        lock_dataset(connection, dataset.key)
        mask = _combine(connection, dataset, body)
        is_union = body.operation.value == "UNION"
        new = NewTag(
            name=name,
            mask=mask,
            creator=(body.creator or TagCreator.UNKNOWN).value,
            user_id=caller.id,
            prev_tag_id=find_initial_tag(connection, dataset).id if is_union else body.tag_id1,
            run_id=body.run_id,
            changes={
                "arithmetics": {
                    "operation": body.operation.value,
                    "tag1": body.tag_id1,
                    "tag2": body.tag_id2,
                }
            },
        )
        return create_tag_in(connection, dataset, new, now_ms=platform.clock.now_ms())


def _combine(connection: sa.Connection, dataset: Dataset, body: TagArithmeticsRequest) -> bytes:
    first = load_tag(connection, dataset, body.tag_id1)
    second = load_tag(connection, dataset, body.tag_id2)
    return combine_bitmasks(read_mask(first), read_mask(second), body.operation.value)
