"""Where files with relevant filenames come from: the datasource itself, or an artifact of a run."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from lightly.data.datasource_files.relevant_names import (
    MAX_FILE_BYTES,
    RelevantNames,
    RelevantNamesInvalid,
    read_relevant_names,
)
from lightly.openapi_generated.swagger_client.models.docker_run_artifact_storage_location import (
    DockerRunArtifactStorageLocation,
)
from lightly.server.auth.users import User
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasources.models import find_side
from lightly.server.datasources.opening import open_store
from lightly.server.datasources.service import find_for_side
from lightly.server.datasources.stores import FileStore
from lightly.server.errors import (
    ArtifactUnknown,
    FileUnknown,
    RelevantFilenamesInvalid,
    RunUnknown,
)
from lightly.server.platform import PlatformState
from lightly.server.runs.access import load_run
from lightly.server.runs.artifact_files import make_content_key
from lightly.server.runs.artifact_repository import find_artifact
from lightly.server.runs.datasource_artifacts import make_name, open_run_store

#: Parsed files that are kept: each page of a listing asks for the same one again.
_MAX_KEPT = 4


@dataclass(frozen=True)
class RelevantFile:
    """Which file restricts a listing.

    Attributes:
        name: Of a file in the datasource, or None.
        run_id: Of the run whose artifact it is, or None.
        artifact_id: The artifact, or None.
    """

    name: str | None
    run_id: str | None = None
    artifact_id: str | None = None


class _ParsedFiles:
    """The files that were parsed last, by place and version."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parsed: OrderedDict[tuple[str, ...], RelevantNames] = OrderedDict()

    def find(self, key: tuple[str, ...]) -> RelevantNames | None:
        with self._lock:
            found = self._parsed.get(key)
            if found is not None:
                self._parsed.move_to_end(key)
            return found

    def keep(self, key: tuple[str, ...], names: RelevantNames) -> None:
        with self._lock:
            self._parsed[key] = names
            while len(self._parsed) > _MAX_KEPT:
                self._parsed.popitem(last=False)


_PARSED = _ParsedFiles()


def load_relevant_names(
    platform: PlatformState, caller: User, dataset: Dataset, file: RelevantFile
) -> RelevantNames:
    """Return the rules that restrict a listing of a dataset.

    Raises:
        RelevantFilenamesInvalid: If there is no such file, or if a line in it breaks a rule.
    """
    if file.name is not None:
        return _load_from_datasource(platform, dataset, file.name)
    if file.run_id is None or file.artifact_id is None:
        raise RelevantFilenamesInvalid(
            "relevantFilenamesRunId and relevantFilenamesArtifactId are given together or not."
        )
    return _load_from_artifact(platform, caller, dataset, file.run_id, file.artifact_id)


def _load_from_datasource(platform: PlatformState, dataset: Dataset, name: str) -> RelevantNames:
    side = find_side(name)
    with platform.database.read() as connection:
        datasource = find_for_side(connection, dataset, side)
    store = open_store(platform, dataset, datasource, side)
    version = store.find_version(name)
    if version is None:
        raise RelevantFilenamesInvalid(
            f"There is no file {ascii(name)[:100]} with relevant filenames in the datasource."
        )
    place = (dataset.id, datasource.id, datasource.full_path, name)
    known = _PARSED.find((*place, version))
    if known is not None:
        return known
    try:
        version, content = store.read(name, MAX_FILE_BYTES + 1)
    except FileUnknown as error:
        raise RelevantFilenamesInvalid("The file has vanished.") from error
    return _parse((*place, version), content)


def _load_from_artifact(
    platform: PlatformState, caller: User, dataset: Dataset, run_id: str, artifact_id: str
) -> RelevantNames:
    store: FileStore | None = None
    with platform.database.read() as connection:
        run = load_run(connection, caller, run_id)
        if run.dataset_id != dataset.id:
            raise RunUnknown
        artifact = find_artifact(connection, run.id, artifact_id)
        if artifact is None or artifact.confirmed_at_ms is None:
            raise ArtifactUnknown
        if artifact.storage_location == DockerRunArtifactStorageLocation.DATASOURCE.value:
            store = open_run_store(platform, connection, caller, run, Action.READ)
    if store is not None:
        return _load_stored(store, dataset, make_name(run, artifact), artifact_id)
    key = make_content_key(run, artifact.id)
    info = platform.blobs.head(key)
    if info is None:
        raise ArtifactUnknown
    place = (dataset.id, artifact_id, info.etag)
    known = _PARSED.find(place)
    if known is not None:
        return known
    with platform.blobs.open(key) as file:
        return _parse(place, file.read(MAX_FILE_BYTES + 1))


def _load_stored(store: FileStore, dataset: Dataset, name: str, artifact_id: str) -> RelevantNames:
    """Return the rules of an artifact that lies in the datasource, where it may have vanished."""
    version = store.find_version(name)
    if version is None:
        raise ArtifactUnknown
    known = _PARSED.find((dataset.id, artifact_id, version))
    if known is not None:
        return known
    try:
        version, content = store.read(name, MAX_FILE_BYTES + 1)
    except FileUnknown as error:
        raise ArtifactUnknown from error
    return _parse((dataset.id, artifact_id, version), content)


def _parse(place: tuple[str, ...], content: bytes) -> RelevantNames:
    try:
        names = read_relevant_names(content)
    except RelevantNamesInvalid as error:
        raise RelevantFilenamesInvalid(str(error)) from error
    _PARSED.keep(place, names)
    return names
