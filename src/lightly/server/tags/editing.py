"""Changing a tag: another name, another set of samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lightly._kit.bitmask import combine_bitmasks, count_bits
from lightly.openapi_generated.swagger_client.models.tag_creator import TagCreator
from lightly.openapi_generated.swagger_client.models.tag_update_request import TagUpdateRequest
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset, update_dataset
from lightly.server.errors import Conflict, TagChanged, TagInvalid, TagUnknown
from lightly.server.platform import PlatformState
from lightly.server.tags import repository
from lightly.server.tags.changes import append_change, read_changes
from lightly.server.tags.masks import pack, parse_mask, read_mask
from lightly.server.tags.models import Tag
from lightly.server.tags.service import check_against_parent, check_name, load_tag


@dataclass
class _Edit:
    """What an update comes down to: new values of columns, and what is said about them."""

    values: dict[str, object] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)


def update_tag(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    tag_id: str,
    body: TagUpdateRequest,
    *,
    based_on_ms: int | None = None,
) -> None:
    """Give a tag another name or other samples; the same values again change nothing.

    Scores belong to the samples that the tag had, so they go when its samples change.

    Args:
        platform: The server.
        caller: Who asks.
        dataset_id: The dataset.
        tag_id: The tag.
        body: Its new name and samples.
        based_on_ms: When the tag that the caller knows was changed last; None for whenever.

    Raises:
        TagChanged: If it has changed since.
        TagNameExists: If another tag of the dataset has the name.
        TagInvalid: If the tag would no longer be a subset of its parent, or its children no longer
            of it.
        Conflict: If it is the initial tag, which keeps its name and all samples.
    """
    edit = _Edit(changes=read_changes(body.changes))
    creator = (body.update_creator or TagCreator.UNKNOWN).value
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        lock_dataset(connection, dataset.key)
        tag = load_tag(connection, dataset, tag_id)
        if based_on_ms is not None and based_on_ms != tag.last_modified_at_ms:
            raise TagChanged
        if body.name != tag.name:
            _rename(connection, dataset, tag, body.name, edit)
        if body.bit_mask_data is not None:
            _replace_mask(connection, dataset, tag, body.bit_mask_data, edit)
        if not edit.values and not edit.changes:
            return
        history = append_change(
            tag.changes_json, edit.changes, user_id=caller.id, creator=creator, now_ms=now_ms
        )
        repository.update_tag(connection, tag, now_ms, changes_json=history, **edit.values)
        update_dataset(connection, dataset.key, now_ms)


def _rename(connection: sa.Connection, dataset: Dataset, tag: Tag, name: str, edit: _Edit) -> None:
    if tag.prev_tag_id is None:
        raise Conflict("The initial tag keeps its name: clients find it by that.")
    check_name(connection, dataset, name)
    repository.note_scores_of(connection, tag)
    edit.values["name"] = name
    edit.changes["rename"] = {"from": tag.name, "to": name}


def _replace_mask(
    connection: sa.Connection, dataset: Dataset, tag: Tag, text: str, edit: _Edit
) -> None:
    before, after = read_mask(tag), parse_mask(text, tag.tot_size)
    if before == after:
        return
    if tag.prev_tag_id is None:
        raise Conflict("The initial tag holds every sample of the dataset, always.")
    parent = repository.find_tag(connection, dataset.key, tag.prev_tag_id)
    if parent is None:
        raise TagUnknown
    extends = tag.preselected_tag_id == parent.id
    check_against_parent(after, parent, read_mask(parent), extends=extends)
    _check_children(connection, tag, after)
    repository.note_scores_of(connection, tag)
    repository.delete_scores(connection, tag.id)
    edit.values["mask"] = pack(after)
    edit.changes.setdefault("samples", _describe_samples(before, after))


def _check_children(connection: sa.Connection, tag: Tag, mask: bytes) -> None:
    for child in repository.list_children(connection, tag):
        extends = child.preselected_tag_id == tag.id
        try:
            check_against_parent(read_mask(child), tag, mask, extends=extends)
        except TagInvalid as error:
            raise TagInvalid(
                f"The tag '{child.name[:80]}' is a child of this one and would no longer fit it. "
                "Change or delete that tag first."
            ) from error


def _describe_samples(before: bytes, after: bytes) -> dict[str, object]:
    return {
        "method": "selected",
        "count": count_bits(after),
        "added": count_bits(combine_bitmasks(after, before, "DIFFERENCE")),
        "removed": count_bits(combine_bitmasks(before, after, "DIFFERENCE")),
    }
