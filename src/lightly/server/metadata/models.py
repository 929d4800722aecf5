"""Metadata configurations as the server works with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetadataConfiguration:
    """Which fields of custom metadata have a meaning, and which one.

    Attributes:
        id: 24 hex digits.
        name: As the user likes it; names may repeat.
        entries_json: JSON text of the contract's list of `ConfigurationEntry`.
        created_at_ms: When it was made.
        last_modified_at_ms: When it was last changed.
    """

    id: str
    name: str
    entries_json: str
    created_at_ms: int
    last_modified_at_ms: int
