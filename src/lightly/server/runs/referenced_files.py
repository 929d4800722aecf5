"""Files of the datasource that a configuration refers to: looked at before a run is scheduled.

A run that waits for hours and then fails for a missing file costs more than an answer at once. Only
what the server can see is looked at. Source: wire contract, semantics section 11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa

from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.metadata_files import parse_metadata_schema
from lightly.data.datasource_files.names import (
    METADATA_SCHEMA_FILE,
    TASKS_FILE,
    name_task_schema,
)
from lightly.data.datasource_files.prediction_tasks import parse_schema, parse_tasks
from lightly.data.made_tasks import AUTO_TAGS_TASK, PRETAGGING_TASK
from lightly.server.auth.users import User
from lightly.server.datasets.models import Dataset
from lightly.server.datasources.models import Side, find_side
from lightly.server.datasources.opening import can_open, open_store
from lightly.server.datasources.relevant_files import RelevantFile, load_relevant_names
from lightly.server.datasources.service import find_for_side
from lightly.server.datasources.stores import FileStore
from lightly.server.errors import (
    ConfigReferencesInvalidFiles,
    DatasourceUnavailable,
    DatasourceUnknown,
    DatasourceUnreachable,
    FileUnknown,
    RelevantFilenamesInvalid,
)
from lightly.server.metadata.repository import list_configurations
from lightly.server.platform import PlatformState
from lightly.server.predictions.repository import find_task

#: Far above any schema that people write.
MAX_SCHEMA_BYTES = 8 * 1024 * 1024
#: Computed by the worker for every image.
_COMPUTED_METADATA = "lightly."
Json = dict[str, Any]
ContentT = TypeVar("ContentT")


def check_referenced_files(
    platform: PlatformState, caller: User, dataset: Dataset, config: Json
) -> None:
    """Refuse a configuration that refers to files which are missing or not valid.

    What was sent to the dataset itself, tasks and metadata configurations, needs no files. Nothing
    is looked at without a datasource, in one that the server cannot open, or with `bypassVerify`.

    Args:
        platform: The server.
        caller: Who wants the run.
        dataset: Loaded for the caller.
        config: The configuration in its wire form, options named as in version 4.

    Raises:
        RelevantFilenamesInvalid: If the file with relevant filenames cannot be used.
        ConfigReferencesInvalidFiles: If files of predictions or metadata cannot.
    """
    docker: Json = config.get("docker") or {}
    if (docker.get("datasource") or {}).get("bypassVerify"):
        return
    with platform.database.read() as connection:
        tasks = [
            name
            for name in sorted(_list_tasks(config, docker))
            if find_task(connection, dataset.key, name) is None
        ]
        needs_metadata = _uses_metadata(config) and not list_configurations(connection, dataset.key)
        store = _find_store(platform, connection, dataset)
    # What the server cannot reach is left to the worker, which says why it cannot either.
    with suppress(DatasourceUnreachable, DatasourceUnavailable):
        if docker.get("relevantFilenamesFile"):
            _check_relevant(platform, caller, dataset, docker["relevantFilenamesFile"])
        if store is None:
            return
        if tasks:
            _check_predictions(store, tasks)
        if needs_metadata:
            _read(store, METADATA_SCHEMA_FILE, parse_metadata_schema)


def _list_inputs(config: Json) -> Iterator[Json]:
    for entry in (config.get("selection") or {}).get("strategies") or ():
        yield entry["input"]


def _list_tasks(config: Json, docker: Json) -> set[str]:
    """Return the tasks whose predictions have to come from somewhere."""
    selection = config.get("selection") or {}
    made = {AUTO_TAGS_TASK, PRETAGGING_TASK} | {
        task["name"] for task in selection.get("autoTasks") or ()
    }
    used = {entry.get("task") for entry in _list_inputs(config)}
    used |= {
        (docker.get(part) or {}).get("taskName")
        for part in ("objectLevel", "training", "activeLearning")
    }
    # No name has a NUL in it, and PostgreSQL refuses to compare with one.
    return {name for name in used if name and "\0" not in name} - made


def _uses_metadata(config: Json) -> bool:
    """Tell whether metadata of the user's own is needed. Parts of paths can be metadata, too."""
    if (config.get("selection") or {}).get("lightlyPathRegex"):
        return False
    keys = [entry.get("key") or "" for entry in _list_inputs(config) if entry["type"] == "METADATA"]
    return any(not key.startswith(_COMPUTED_METADATA) for key in keys)


def _find_store(
    platform: PlatformState,
    connection: sa.Connection,
    dataset: Dataset,
    side: Side = Side.LIGHTLY,
) -> FileStore | None:
    try:
        datasource = find_for_side(connection, dataset, side)
    except DatasourceUnknown:
        return None
    if not can_open(platform, datasource, side):
        return None
    return open_store(platform, dataset, datasource, side)


def _check_relevant(platform: PlatformState, caller: User, dataset: Dataset, name: str) -> None:
    with platform.database.read() as connection:
        if _find_store(platform, connection, dataset, find_side(name)) is None:
            return
    try:
        load_relevant_names(platform, caller, dataset, RelevantFile(name))
    except RelevantFilenamesInvalid as error:
        raise RelevantFilenamesInvalid(f"relevantFilenamesFile: {error}") from error


def _check_predictions(store: FileStore, tasks: list[str]) -> None:
    listed = _read(store, TASKS_FILE, parse_tasks)
    for task in tasks:
        if task not in listed:
            reason = f"does not name the task '{task[:80]}', which the configuration uses"
            raise _refuse(TASKS_FILE, reason)
        name = name_task_schema(task)
        _read(store, name, partial(parse_schema, file=name))


def _read(store: FileStore, name: str, parse: Callable[[bytes], ContentT]) -> ContentT:
    try:
        _, content = store.read(name, MAX_SCHEMA_BYTES + 1)
    except FileUnknown as error:
        raise _refuse(name, "is not there") from error
    if len(content) > MAX_SCHEMA_BYTES:
        raise _refuse(name, f"may have at most {MAX_SCHEMA_BYTES} bytes")
    try:
        return parse(content)
    except FileInvalid as error:
        place = f"{error.key} " if error.key else "it "
        raise _refuse(name, f"is not valid: {place}{error.rule}") from error


def _refuse(name: str, reason: str) -> ConfigReferencesInvalidFiles:
    return ConfigReferencesInvalidFiles(
        f"The file {ascii(name)[:200]} of the datasource {reason}. Put it right, or schedule with "
        "disableConfigValidation=True to leave this to the worker."
    )
