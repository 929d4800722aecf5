"""Datasources as the server works with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from lightly.data.datasource_files import names

#: Everything that belongs to the platform lies in this folder of the LIGHTLY side.
LIGHTLY_FOLDER = names.LIGHTLY_FOLDER


class Purpose(enum.Enum):
    """What a datasource is for: one for everything, or a pair."""

    INPUT_OUTPUT = "INPUT_OUTPUT"
    INPUT = "INPUT"
    LIGHTLY = "LIGHTLY"


class Side(enum.Enum):
    """The two halves that one datasource, or a pair of them, has."""

    INPUT = "INPUT"
    LIGHTLY = "LIGHTLY"


@dataclass(frozen=True)
class Configuration:
    """A configuration that somebody sent, in the newest spelling.

    Attributes:
        purpose: What it is for.
        type: `S3`, `S3DelegatedAccess`, `GCS`, `AZURE`, `OBS`, `LOCAL` or `LIGHTLY`.
        full_path: As the contract has it for the type.
        settings: Other fields that may be shown, by their wire names.
        secrets: Fields that may not.
    """

    purpose: Purpose
    type: str
    full_path: str
    settings: dict[str, str]
    secrets: dict[str, str]


@dataclass(frozen=True)
class Datasource:
    """One row of the datasources table.

    Attributes:
        id: 24 hex digits; stays while the datasource is configured anew.
        dataset_key: The dataset.
        purpose: One of `Purpose`.
        type: See `Configuration`, like the next two.
        full_path: See there.
        settings: See there.
        sealed_secrets: Encrypted; None for types without.
        created_at_ms: When it was first configured.
        last_modified_at_ms: When it was last changed.
        role_hash: Stands for its role and external id; None for types without, and until it is
            noted for those that were configured by releases which did not.
    """

    id: str
    dataset_key: int
    purpose: str
    type: str
    full_path: str
    settings: dict[str, Any]
    sealed_secrets: str | None
    created_at_ms: int
    last_modified_at_ms: int
    role_hash: str | None = None


def find_side(name: str) -> Side:
    """Return on which side a file lies.

    >>> find_side(".lightly/predictions/tasks.json")
    <Side.LIGHTLY: 'LIGHTLY'>
    """
    return Side.LIGHTLY if name.startswith(LIGHTLY_FOLDER) else Side.INPUT


def list_purposes(side: Side) -> tuple[Purpose, Purpose]:
    """Return which datasources serve a side, the more special one first."""
    return Purpose(side.value), Purpose.INPUT_OUTPUT
