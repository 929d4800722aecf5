"""Users as the server knows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """Someone with a token.

    Attributes:
        id: 24 hex digits.
        email: Unique address.
        is_admin: May administer the server.
    """

    id: str
    email: str
    is_admin: bool
