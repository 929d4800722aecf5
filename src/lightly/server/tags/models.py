"""Tags as the server works with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: Clients look the tag over all samples up by this name.
INITIAL_TAG_NAME = "initial-tag"


@dataclass(frozen=True)
class Tag:
    """One row of the tags table.

    Attributes:
        id: 24 hex digits.
        dataset_key: The dataset it belongs to.
        name: Unique in its dataset.
        prev_tag_id: The parent; None for the initial tag.
        query_tag_id: What a selection picked from.
        preselected_tag_id: What a selection started with.
        run_id: The compute run that made it.
        creator: Which kind of client made it.
        tot_size: How many samples the tags of the dataset speak of; the same for all of them.
        changes_json: What happened to it, as the contract's list.
        created_at_ms: When it was made.
        last_modified_at_ms: When it last changed.
        mask: Which samples it holds, packed; see `masks.read_mask`.
    """

    id: str
    dataset_key: int
    name: str
    prev_tag_id: str | None
    query_tag_id: str | None
    preselected_tag_id: str | None
    run_id: str | None
    creator: str
    tot_size: int
    changes_json: str | None
    created_at_ms: int
    last_modified_at_ms: int
    mask: bytes = field(repr=False)


@dataclass(frozen=True)
class NewTag:
    """A tag to be made.

    Attributes:
        name: Must be free in the dataset.
        mask: Which samples it holds, little-endian bits.
        creator: Which kind of client makes it.
        user_id: Who makes it.
        prev_tag_id: The parent; None only for the initial tag.
        query_tag_id: What a selection picked from.
        preselected_tag_id: What a selection started with.
        run_id: The compute run that makes it.
        changes: How it came about, one entry per kind of the contract's `TagChangeData`.
    """

    name: str
    mask: bytes = field(repr=False)
    creator: str
    user_id: str
    prev_tag_id: str | None = None
    query_tag_id: str | None = None
    preselected_tag_id: str | None = None
    run_id: str | None = None
    changes: dict[str, Any] | None = None


@dataclass(frozen=True)
class Score:
    """One row of the scores table, without the values.

    Attributes:
        id: 24 hex digits.
        tag_id: The tag whose samples are scored.
        score_type: What is scored; unique per tag.
        created_at_ms: When scores of this type were first stored.
    """

    id: str
    tag_id: str
    score_type: str
    created_at_ms: int
