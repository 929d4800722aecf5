"""A placeholder for whoever asks, in statements that are built once and used for everybody.

Workers ask every few seconds, and building a statement with the conditions of teams takes longer
than carrying it out.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.db.columns import ID

#: Goes where a caller goes while a statement is built.
ANYBODY = cast(
    "User",
    SimpleNamespace(
        id=sa.bindparam("caller_id", type_=ID), email=sa.bindparam("caller_email", type_=sa.Text)
    ),
)


def name_caller(caller: User) -> dict[str, str]:
    """Return the values that take the place of `ANYBODY` in such a statement."""
    return {"caller_id": caller.id, "caller_email": caller.email}
