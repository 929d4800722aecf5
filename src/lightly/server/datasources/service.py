"""Rules of datasources: who may configure them, and how their secrets are kept."""

from __future__ import annotations

import functools
import hmac
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset
from lightly.server.datasources import repository
from lightly.server.datasources.configurations import find_masked_secrets, read_configuration
from lightly.server.datasources.models import (
    Configuration,
    Datasource,
    Purpose,
    Side,
    list_purposes,
)
from lightly.server.datasources.tenants import claim_role, hash_role, note_role
from lightly.server.errors import DatasourceUnknown, MalformedRequest
from lightly.server.platform import PlatformState
from lightly.server.secrets.keys import ServerKeys
from lightly.server.secrets.sealing import SecretBox, SecretUnreadable, open_secret_box

log = logging.getLogger("lightly.server")

_ROWS_AT_ONCE = 100
_PAIR = (Purpose.INPUT, Purpose.LIGHTLY)


def get_datasource(
    platform: PlatformState, caller: User, dataset_id: str, purpose: Purpose
) -> Datasource:
    """Return the datasource that was configured for exactly this purpose.

    Raises:
        DatasourceUnknown: If there is none. Clients up to 1.2 then use the server's own storage.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        found = repository.find_datasource(connection, dataset.key, purpose)
    if found is None:
        raise DatasourceUnknown
    return found


def list_datasources(platform: PlatformState, caller: User, dataset_id: str) -> list[Datasource]:
    """Return all datasources of a dataset."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return repository.list_datasources(connection, dataset.key)


def find_for_side(connection: sa.Connection, dataset: Dataset, side: Side) -> Datasource:
    """Return the datasource that serves one side of a dataset.

    Raises:
        DatasourceUnknown: If none does.
    """
    for purpose in list_purposes(side):
        found = repository.find_datasource(connection, dataset.key, purpose)
        if found is not None:
            return found
    raise DatasourceUnknown(
        f"No datasource is configured for the {side.value} side of this dataset."
    )


def put_datasource(platform: PlatformState, caller: User, dataset_id: str, content: object) -> None:
    """Configure a datasource, in place of an older one for the same purpose.

    One for everything replaces a pair. One of a pair leaves one for everything in place, for the
    other side, until both are there. The same configuration again changes nothing.

    Args:
        platform: The server.
        caller: Who asks; may use the dataset's secrets.
        dataset_id: The dataset.
        content: A decoded `DatasourceConfig`.

    Raises:
        MalformedRequest: If it breaks a rule.
        RoleTaken: If its role is another tenant's.
    """
    configuration = read_configuration(content)
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.USE_SECRETS)
        lock_dataset(connection, dataset.key)
        old = repository.find_datasource(connection, dataset.key, configuration.purpose)
        secrets = _complete_secrets(platform, configuration, old)
        if old is not None and _is_same(platform, old, configuration, secrets):
            return
        role_hash = hash_role(platform.keys, secrets)
        if role_hash is not None and (old is None or old.role_hash != role_hash):
            claim_role(connection, dataset, role_hash)
        if old is None:
            datasource_id = repository.insert_datasource(
                connection, dataset.key, configuration, now_ms
            )
        else:
            datasource_id = old.id
        place = _make_place(datasource_id, dataset.key, configuration.purpose.value)
        sealed = _seal(platform, secrets, place)
        repository.update_datasource(
            connection, datasource_id, configuration, sealed, role_hash, now_ms
        )
        _drop_replaced(connection, dataset.key, configuration.purpose)


def read_secrets(platform: PlatformState, datasource: Datasource) -> dict[str, str]:
    """Return the secrets of a datasource in the clear; they go nowhere but into a store's client.

    Raises:
        SecretUnreadable: If they do not open.
    """
    if datasource.sealed_secrets is None:
        return {}
    box = get_secret_box(platform.keys, platform.settings.data_dir)
    place = _make_place(datasource.id, datasource.dataset_key, datasource.purpose)
    secrets: dict[str, str] = orjson.loads(box.open(datasource.sealed_secrets, place))
    return secrets


def reseal_secrets(platform: PlatformState) -> int:
    """Seal with the newest key what an older one has sealed; return how many datasources.

    Afterwards the operator can take the older key away.
    """
    box = get_secret_box(platform.keys, platform.settings.data_dir)
    found = _iterate_datasources(platform, repository.list_sealed)
    return sum(_reseal(platform, box, datasource) for datasource in found)


def note_roles(platform: PlatformState) -> int:
    """Note the roles of datasources that older releases configured; return how many."""
    count = 0
    for datasource in _iterate_datasources(platform, repository.list_without_role):
        try:
            role_hash = hash_role(platform.keys, read_secrets(platform, datasource))
        except SecretUnreadable:
            # It cannot assume its role either.
            continue
        if role_hash is not None:
            with platform.database.write() as connection:
                note_role(connection, datasource, role_hash)
            count += 1
    return count


def _iterate_datasources(
    platform: PlatformState, list_behind: Callable[[sa.Connection, str, int], list[Datasource]]
) -> Iterator[Datasource]:
    """Yield datasources of all datasets, some at a time; no transaction is open in between."""
    after_id = ""
    while True:
        with platform.database.read() as connection:
            found = list_behind(connection, after_id, _ROWS_AT_ONCE)
        if not found:
            return
        yield from found
        after_id = found[-1].id


@functools.lru_cache(maxsize=8)
def get_secret_box(keys: ServerKeys, data_dir: Path) -> SecretBox:
    """Return the box of a server; its keys are read once."""
    return open_secret_box(keys, data_dir)


def get_processed_until(platform: PlatformState, caller: User, dataset_id: str) -> int:
    """Return up to which second the files were processed, 0 when none were."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return repository.list_processed_until(connection, [dataset.key]).get(dataset.key, 0)


def put_processed_until(
    platform: PlatformState, caller: User, dataset_id: str, processed_until_s: int
) -> None:
    """Note up to which second the files were processed."""
    if processed_until_s >= 2**53:
        raise MalformedRequest("processedUntilTimestamp (body): This is no time in seconds.")
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        lock_dataset(connection, dataset.key)
        repository.put_processed_until(connection, dataset.key, processed_until_s)


def _complete_secrets(
    platform: PlatformState, configuration: Configuration, old: Datasource | None
) -> dict[str, str]:
    """Return the secrets to store. Masked ones stand for those that are stored already.

    All or none: else whoever may configure could send a stored key to an endpoint of their own.
    """
    masked = find_masked_secrets(configuration)
    if not masked:
        return configuration.secrets
    if (
        old is not None
        and old.type == configuration.type
        and masked.issuperset(configuration.secrets)
    ):
        try:
            return read_secrets(platform, old)
        except SecretUnreadable as error:
            raise MalformedRequest(
                "The stored secrets cannot be read any more. Send them again."
            ) from error
    raise MalformedRequest(
        f"{min(masked)} (body): This is the mask that stands for a stored secret. Send all secrets "
        "of the datasource, or leave all of them masked to keep those that are stored."
    )


def _is_same(
    platform: PlatformState, old: Datasource, new: Configuration, secrets: dict[str, str]
) -> bool:
    shown: tuple[Any, ...] = (old.type, old.full_path, old.settings)
    if shown != (new.type, new.full_path, new.settings):
        return False
    try:
        return hmac.compare_digest(_write(read_secrets(platform, old)), _write(secrets))
    except SecretUnreadable:
        return False


def _write(secrets: dict[str, str]) -> bytes:
    return orjson.dumps(secrets, option=orjson.OPT_SORT_KEYS)


def _seal(platform: PlatformState, secrets: dict[str, str], place: str) -> str | None:
    if not secrets:
        return None
    box = get_secret_box(platform.keys, platform.settings.data_dir)
    return box.seal(orjson.dumps(secrets), place)


def _make_place(datasource_id: str, dataset_key: int, purpose: str) -> str:
    """Return what binds secrets to their row."""
    return f"datasources/{datasource_id}/{dataset_key}/{purpose}"


def _drop_replaced(connection: sa.Connection, dataset_key: int, purpose: Purpose) -> None:
    if purpose is Purpose.INPUT_OUTPUT:
        repository.delete_datasources(connection, dataset_key, _PAIR)
        return
    found = repository.list_datasources(connection, dataset_key)
    if {one.purpose for one in found} >= {one.value for one in _PAIR}:
        repository.delete_datasources(connection, dataset_key, [Purpose.INPUT_OUTPUT])


def _reseal(platform: PlatformState, box: SecretBox, datasource: Datasource) -> int:
    sealed = datasource.sealed_secrets
    if sealed is None or box.is_current(sealed):
        return 0
    place = _make_place(datasource.id, datasource.dataset_key, datasource.purpose)
    try:
        renewed = box.seal(box.open(sealed, place), place)
    except SecretUnreadable:
        log.warning("the secrets of datasource %s do not open with any key", datasource.id)
        return 0
    with platform.database.write() as connection:
        repository.replace_sealed(connection, datasource, renewed)
    return 1
