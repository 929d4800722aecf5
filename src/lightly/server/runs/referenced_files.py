"""Files of the datasource that a configuration refers to: looked at before a run is scheduled.

A run that waits for hours and then fails for a missing file costs more than an answer at once. Only
what the server can see is looked at. Source: wire contract, semantics section 11.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.models import Dataset
from lightly.server.datasources.models import LIGHTLY_FOLDER, Side, find_side
from lightly.server.datasources.opening import can_open, open_store
from lightly.server.datasources.relevant_files import RelevantFile, load_relevant_names
from lightly.server.datasources.service import find_for_side
from lightly.server.datasources.stores import FileStore
from lightly.server.errors import (
    ConfigReferencesInvalidFiles,
    DatasourceUnknown,
    FileUnknown,
    RelevantFilenamesInvalid,
)
from lightly.server.metadata.repository import list_configurations
from lightly.server.platform import PlatformState
from lightly.server.predictions.repository import find_task

#: Far above any schema that people write.
MAX_SCHEMA_BYTES = 8 * 1024 * 1024
_TASK_TYPES = (
    "classification",
    "instance-segmentation",
    "keypoint-detection",
    "object-detection",
    "semantic-segmentation",
)
#: Made by the worker itself during a run.
_PRETAGGING_TASK = "lightly_pretagging"
#: Computed by the worker for every image.
_COMPUTED_METADATA = "lightly."
Json = dict[str, Any]


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
    if docker.get("relevantFilenamesFile"):
        _check_relevant(platform, caller, dataset, docker["relevantFilenamesFile"])
    if store is None:
        return
    if tasks:
        _check_predictions(store, tasks)
    if needs_metadata:
        _check_metadata(store)


def _list_inputs(config: Json) -> Iterator[Json]:
    for entry in (config.get("selection") or {}).get("strategies") or ():
        yield entry["input"]


def _list_tasks(config: Json, docker: Json) -> set[str]:
    """Return the tasks whose predictions have to come from somewhere."""
    selection = config.get("selection") or {}
    made = {_PRETAGGING_TASK} | {task["name"] for task in selection.get("autoTasks") or ()}
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
    folder = f"{LIGHTLY_FOLDER}predictions/"
    listed = _read_json(store, f"{folder}tasks.json")
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise _refuse(f"{folder}tasks.json", "must be a list of the names of tasks")
    for task in tasks:
        if task not in listed:
            reason = f"does not name the task '{task[:80]}', which the configuration uses"
            raise _refuse(f"{folder}tasks.json", reason)
        name = f"{folder}{task}/schema.json"
        schema = _read_json(store, name)
        if not isinstance(schema, dict) or schema.get("task_type") not in _TASK_TYPES:
            raise _refuse(name, f"must have a 'task_type' out of {', '.join(_TASK_TYPES)}")
        if not _are_categories(schema.get("categories")):
            raise _refuse(
                name, "must have 'categories', each with a 'name' and an 'id' of its own from 0 on"
            )


def _are_categories(categories: object) -> bool:
    if not isinstance(categories, list):
        return False
    ids = [_read_category_id(category) for category in categories]
    return None not in ids and len(set(ids)) == len(ids)


def _read_category_id(category: object) -> int | None:
    if not isinstance(category, dict) or not isinstance(category.get("name"), str):
        return None
    id_ = category.get("id")
    return id_ if type(id_) is int and id_ >= 0 else None


def _check_metadata(store: FileStore) -> None:
    name = f"{LIGHTLY_FOLDER}metadata/schema.json"
    entries = _read_json(store, name)
    fields = ("name", "path", "valueDataType")
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and all(isinstance(entry.get(field), str) for field in fields)
        for entry in entries
    ):
        raise _refuse(name, f"must be a list of objects with {', '.join(fields)}")


def _read_json(store: FileStore, name: str) -> object:
    try:
        _, content = store.read(name, MAX_SCHEMA_BYTES + 1)
    except FileUnknown as error:
        raise _refuse(name, "is not there") from error
    if len(content) > MAX_SCHEMA_BYTES:
        raise _refuse(name, f"may have at most {MAX_SCHEMA_BYTES} bytes")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _refuse(name, "is no JSON") from error


def _refuse(name: str, reason: str) -> ConfigReferencesInvalidFiles:
    return ConfigReferencesInvalidFiles(
        f"The file {ascii(name)[:200]} of the datasource {reason}. Put it right, or schedule with "
        "disableConfigValidation=True to leave this to the worker."
    )
