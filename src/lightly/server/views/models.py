"""Saved views as the server works with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SavedView:
    """One row of the table of saved views.

    Attributes:
        id: 24 hex digits.
        dataset_key: The dataset that is looked at.
        user_id: Who saved it.
        label: Its name, or a hash of the query where it has none.
        is_named: Whether it is listed; others are only reached by their link.
        query: Of the address of the explore page.
        created_at_ms: When it was saved.
    """

    id: str
    dataset_key: int
    user_id: str
    label: str
    is_named: bool
    query: str
    created_at_ms: int
