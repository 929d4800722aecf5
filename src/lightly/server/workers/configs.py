"""Rules of worker configurations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from pydantic import BaseModel

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.creator import Creator
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.errors import (
    MalformedRequest,
    PayloadTooLarge,
    WorkerConfigInUse,
    WorkerConfigInvalid,
    WorkerConfigUnknown,
)
from lightly.server.platform import PlatformState
from lightly.server.runs.access import load_run
from lightly.server.teams.models import Rights
from lightly.server.workers import repository
from lightly.server.workers.access import load_config
from lightly.server.workers.models import ConfigVersion, WorkerConfig
from lightly.utils.run_configuration.errors import (
    ContradictoryConfiguration,
    InvalidConfiguration,
    MalformedConfiguration,
)
from lightly.utils.run_configuration.reading import (
    AnyConfig,
    read_free_form,
    read_model,
    write_config,
)
from lightly.utils.run_configuration.unworkable import check_workable

ModelT = TypeVar("ModelT", bound=BaseModel)

#: Far above any that people write: some 10,000 target classes or crops.
MAX_CONFIG_BYTES = 1024 * 1024
#: Configurations that are read at once for a list.
_CHUNK = 500


def parse_request(model: type[ModelT], content: object) -> ModelT:
    """Return a request that holds a configuration, with keys in either spelling.

    Raises:
        MalformedRequest: If a key is unknown or a value breaks a rule of its own.
    """
    try:
        return read_model(model, content, "body")
    except MalformedConfiguration as error:
        raise MalformedRequest(str(error)) from error


def create_config(
    platform: PlatformState,
    caller: User,
    version: ConfigVersion,
    config: AnyConfig,
    creator: Creator | None,
) -> str:
    """Add a configuration and return its id.

    Raises:
        WorkerConfigInvalid: If its values do not go together.
        DatasetUnknown, RunUnknown: If it refers to what is not there for the caller.
    """
    written = _write(config)
    config_json = _encode(written)
    now_ms = platform.clock.now_ms()
    stored = WorkerConfig(
        id=make_id(),
        user_id=caller.id,
        version=version.value,
        creator=(creator or Creator.UNKNOWN).value,
        created_at_ms=now_ms,
        last_modified_at_ms=now_ms,
        config_json=config_json,
    )
    with platform.database.write() as connection:
        _check_references(connection, caller, written)
        repository.insert_config(connection, stored)
    return stored.id


def update_config(platform: PlatformState, caller: User, config_id: str, config: AnyConfig) -> None:
    """Replace a free-form configuration that no run was scheduled with yet.

    Raises:
        WorkerConfigInvalid: If its values do not go together.
        WorkerConfigInUse: If runs were scheduled with it: they must stay explicable.
    """
    written = _write(config)
    config_json = _encode(written)
    with platform.database.write() as connection:
        stored = load_config(connection, caller, config_id, Rights.FULL)
        _require_version(stored, ConfigVersion.V0)
        _check_references(connection, caller, written)
        if repository.is_scheduled(connection, stored.id):
            raise WorkerConfigInUse
        repository.update_config(
            connection, stored.id, platform.clock.now_ms(), config_json=config_json
        )


def get_config(
    platform: PlatformState, caller: User, config_id: str, version: ConfigVersion | None = None
) -> WorkerConfig:
    """Return a configuration.

    Args:
        platform: The server.
        caller: Who asks.
        config_id: The configuration.
        version: What it must be; None takes any.

    Raises:
        WorkerConfigUnknown: If there is none for the caller, or it is of another version.
    """
    with platform.database.read() as connection:
        config = load_config(connection, caller, config_id)
    if version is not None:
        _require_version(config, version)
    return config


def iterate_configs(
    platform: PlatformState, caller: User, version: ConfigVersion
) -> Iterator[WorkerConfig]:
    """Yield the caller's own configurations of a version, oldest first.

    There is one per scheduled run, so they are read in chunks.
    """
    after_id = ""
    while True:
        with platform.database.read() as connection:
            chunk = repository.list_configs(
                connection, caller.id, version, after_id=after_id, limit=_CHUNK
            )
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        after_id = chunk[-1].id


def check_for_run(
    connection: sa.Connection,
    caller: User,
    config: WorkerConfig,
    *,
    dataset: Dataset,
    checks_options: bool,
) -> None:
    """Refuse a configuration that no run of the caller could carry out.

    Free-form ones are stored as they are; this is where their options are looked at.

    Args:
        connection: An open transaction.
        caller: Who wants the run.
        config: As loaded for the caller.
        dataset: What the run is about.
        checks_options: Whether to look at options too; access is looked at always.

    Raises:
        WorkerConfigInvalid: With the first problem and its remedy.
        DatasetUnknown, RunUnknown: If it refers to what is not there for the caller.
    """
    _check_references(connection, caller, orjson.loads(config.config_json))
    if not checks_options:
        return
    options = read_options(config)
    try:
        check_workable(options, "config", dataset_id=dataset.id, dataset_type=dataset.type)
    except InvalidConfiguration as error:
        raise WorkerConfigInvalid(str(error)) from error


def read_options(config: WorkerConfig) -> dict[str, Any]:
    """Return a configuration in its wire form, with the options named as in later versions.

    Raises:
        WorkerConfigInvalid: If it is free-form and has options that cannot be used.
    """
    written: dict[str, Any] = orjson.loads(config.config_json)
    if config.version != ConfigVersion.V0.value:
        return written
    try:
        return read_free_form(written)
    except InvalidConfiguration as error:
        raise WorkerConfigInvalid(str(error)) from error


def _require_version(config: WorkerConfig, version: ConfigVersion) -> None:
    if config.version != version.value:
        raise WorkerConfigUnknown(
            f"The configuration is of version {config.version}, not {version.value}. Read it "
            "through /v1/docker/worker/config/vX."
        )


def _write(config: AnyConfig) -> dict[str, Any]:
    try:
        return write_config(config, "body.config")
    except ContradictoryConfiguration as error:
        raise WorkerConfigInvalid(str(error)) from error


def _encode(written: dict[str, Any]) -> str:
    if written.get("docker", {}).get("token"):
        raise MalformedRequest(
            "body.config.docker.token: a configuration must hold no token. Give it to the worker "
            "itself, as LIGHTLY_TOKEN."
        )
    try:
        text = orjson.dumps(written)
    except orjson.JSONEncodeError as error:
        raise MalformedRequest("body.config: a value is nested too deeply.") from error
    if len(text) > MAX_CONFIG_BYTES:
        raise PayloadTooLarge(f"body.config: may have at most {MAX_CONFIG_BYTES} bytes.")
    return text.decode()


def _check_references(connection: sa.Connection, caller: User, written: dict[str, Any]) -> None:
    """Refuse to name what is not there for the caller: a worker may see more than its user."""
    strategies = written.get("selection", {}).get("strategies", [])
    for dataset_id in {entry["input"].get("datasetId") for entry in strategies} - {None}:
        load_dataset(connection, caller, dataset_id, Action.READ)
    for name in ("checkpointRunId", "checkpoint_run_id"):
        run_id = written.get("docker", {}).get(name)
        if isinstance(run_id, str) and run_id:
            load_run(connection, caller, run_id)
