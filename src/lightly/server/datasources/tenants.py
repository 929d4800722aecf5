"""One tenant per delegated role: nobody reaches a bucket through a role that another one set up.

The server assumes the roles of all its users by one identity, so AWS cannot tell them apart: it
only compares the external id. A role with its external id therefore belongs to the owner of the
dataset that it is configured for, and to the teams that this dataset is an asset of, for as long as
any datasource uses it. What is stored of it is a keyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
import logging

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lightly.server.datasets.models import Dataset
from lightly.server.datasources import repository
from lightly.server.datasources.models import Datasource
from lightly.server.db.datasource_tables import datasources, delegated_roles
from lightly.server.db.tables import datasets
from lightly.server.errors import RoleTaken
from lightly.server.secrets.keys import ServerKeys
from lightly.server.teams.assets import is_of_same_tenant

log = logging.getLogger("lightly.server")


def hash_role(keys: ServerKeys, secrets: dict[str, str]) -> str | None:
    """Return what stands for a role and its external id, 64 hex digits; None if there is none.

    Args:
        keys: The server's own.
        secrets: Of a datasource, by their wire names.
    """
    if "s3ARN" not in secrets:
        return None
    # AWS has no two roles whose names differ in case only.
    content = orjson.dumps([secrets["s3ARN"].casefold(), secrets["s3ExternalId"]])
    return hmac.digest(keys.derive("delegated-role"), content, hashlib.sha256).hex()


def claim_role(connection: sa.Connection, dataset: Dataset, role_hash: str) -> None:
    """Make sure that a role may be used for a dataset, and hold it until the commit.

    Raises:
        RoleTaken: If a datasource of another tenant uses it. Datasets that were deleted count
            until they are purged: they may come back.
    """
    _hold_role(connection, role_hash)
    if is_used_by_others(connection, dataset.user_id, role_hash):
        raise RoleTaken


def is_used_by_others(connection: sa.Connection, owner_id: str, role_hash: str) -> bool:
    """Tell whether a role is configured for a dataset that is neither this owner's nor a team's."""
    is_ours = is_of_same_tenant(owner_id, datasets.c.user_id, datasets.c.created_at_ms)
    query = (
        sa.select(datasources.c.id)
        .join(datasets, datasets.c.key == datasources.c.dataset_key)
        .where(datasources.c.role_hash == role_hash, ~is_ours)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def note_role(connection: sa.Connection, datasource: Datasource, role_hash: str) -> None:
    """Note the role of a datasource that was configured before roles were noted.

    Two tenants may use it already. That is for people to settle, so nothing stops working.
    """
    _hold_role(connection, role_hash)
    repository.put_role_hash(connection, datasource, role_hash)
    owner_id = connection.execute(
        sa.select(datasets.c.user_id).where(datasets.c.key == datasource.dataset_key)
    ).scalar_one_or_none()
    if owner_id is not None and is_used_by_others(connection, owner_id, role_hash):
        log.warning(
            "datasource %s has the role and the external id of another tenant's datasource: "
            "one of them should take a new external id",
            datasource.id,
        )


def _hold_role(connection: sa.Connection, role_hash: str) -> None:
    """Make others wait who want the same role: two tenants at once, and the second one sees it."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(delegated_roles).values(role_hash=role_hash)
    # An update of nothing: it locks the row that is there.
    connection.execute(
        statement.on_conflict_do_update(index_elements=["role_hash"], set_={"role_hash": role_hash})
    )
