"""Datasets as the server works with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Action(enum.Enum):
    """What a caller wants to do with a dataset; roles allow some of these."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    SHARE = "share"
    USE_SECRETS = "use_secrets"


#: What those may do who use a dataset without managing it: people it is shared with, and members
#: of its team.
ACTIONS_OF_USERS = frozenset({Action.READ, Action.WRITE})


class Scope(enum.Flag):
    """Which datasets a list is about."""

    OWN = enum.auto()
    SHARED = enum.auto()
    TEAM = enum.auto()


@dataclass(frozen=True)
class Dataset:
    """One row of the datasets table.

    Attributes:
        key: Stands for the dataset in tables with a row per sample.
        id: 24 hex digits.
        user_id: The owner.
        name: Unique per owner.
        type: `Images`, `Videos` or `Crops`.
        img_type: `full`, `thumbnail` or `meta`: which pixels the platform has; None before.
        n_samples: How many samples are registered; also the next sample's index.
        size_bytes: Sum of the sizes that samples came with.
        parent_dataset_id: The dataset that a crops dataset was cut from.
        metadata_configuration_id: The configuration chosen for the web app.
        created_at_ms: When it was made.
        last_modified_at_ms: When it, its samples or its tags last changed.
        datasource_ids: Of its datasources; only where datasets are shown.
        processed_until_s: Up to which second their files were processed; None for never. Likewise.
    """

    key: int
    id: str
    user_id: str
    name: str
    type: str
    img_type: str | None
    n_samples: int
    size_bytes: int
    parent_dataset_id: str | None
    metadata_configuration_id: str | None
    created_at_ms: int
    last_modified_at_ms: int
    datasource_ids: tuple[str, ...] = ()
    processed_until_s: int | None = None
