"""Rules of artifacts and reports: announced, uploaded, confirmed, read."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from lightly._kit.errors import BadInput
from lightly._kit.ids import make_id
from lightly._kit.safe_paths import check_relative_name
from lightly.openapi_generated.swagger_client.models.docker_run_artifact_storage_location import (
    DockerRunArtifactStorageLocation,
)
from lightly.openapi_generated.swagger_client.models.docker_run_artifact_type import (
    DockerRunArtifactType,
)
from lightly.server.auth.users import User
from lightly.server.datasets.models import Action
from lightly.server.datasources.stores import FileStore
from lightly.server.errors import (
    ArtifactExists,
    ArtifactUnavailable,
    ArtifactUnknown,
    BadRequest,
    MalformedRequest,
    ReportUnavailable,
)
from lightly.server.jobs.repository import read_database_ms
from lightly.server.platform import PlatformState
from lightly.server.runs import artifact_repository
from lightly.server.runs.access import load_run, load_run_to_write
from lightly.server.runs.artifact_files import (
    accept_upload,
    make_content_key,
    make_report_key,
    make_upload_key,
    sign_url,
)
from lightly.server.runs.datasource_artifacts import (
    check_uploaded,
    make_name,
    open_run_store,
    sign_in_store,
)
from lightly.server.runs.lifetimes import extend_contract_lease
from lightly.server.runs.models import Artifact, Run

#: Every answer that has the run in it has its artifacts too.
MAX_ARTIFACTS = 1_000
#: Most of a report that is shown in a page. One of a million images has some 2 MB.
MAX_REPORT_BYTES = 64 * 1024 * 1024
#: The contract has no limit, but the index over names does.
MAX_NAME_CHARACTERS = 255


class NewArtifact(NamedTuple):
    """A file that a run has made.

    Attributes:
        file_name: A relative path; clients make a file of it.
        type: What it is.
        storage_location: Where it lies.
        size_bytes: How long it is; None when that is not said.
        sha256: Digest of its bytes, 64 hex digits; None when that is not said.
    """

    file_name: str
    type: DockerRunArtifactType
    storage_location: DockerRunArtifactStorageLocation
    size_bytes: int | None = None
    sha256: str | None = None


class AnnouncedArtifact(NamedTuple):
    """The id of an artifact, and where its bytes go."""

    id: str
    write_url: str


def create_artifact(
    platform: PlatformState, caller: User, run_id: str, new: NewArtifact
) -> AnnouncedArtifact:
    """Announce an artifact. Nobody sees it until its upload is confirmed.

    As long as that has not happened, announcing the same again gives the same id. What an earlier
    attempt of the run has made under this name is replaced.

    Raises:
        ArtifactExists: If this attempt has a confirmed artifact of this name.
    """
    _check_file_name(new.file_name)
    with platform.database.write() as connection:
        run = load_run_to_write(connection, caller, run_id)
        artifact = artifact_repository.find_artifact_by_name(connection, run.id, new.file_name)
        if artifact is not None and artifact.attempt == run.attempt:
            if artifact.confirmed_at_ms is not None:
                raise ArtifactExists
            _announce_again(connection, artifact, new)
        else:
            if artifact is not None:
                artifact_repository.delete_artifact(connection, artifact.id)
            artifact = _announce(connection, run, new)
        extend_contract_lease(connection, platform.settings, run, read_database_ms(connection))
        store: FileStore | None = None
        if new.storage_location is DockerRunArtifactStorageLocation.DATASOURCE:
            store = open_run_store(platform, connection, caller, run, Action.WRITE)
    if store is None:
        url = sign_url(platform, make_upload_key(run, artifact.id), "PUT")
    else:
        # After the transaction: a store may look things up by itself.
        url = sign_in_store(platform, store, make_name(run, artifact), "PUT")
    return AnnouncedArtifact(artifact.id, url)


def _check_file_name(file_name: str) -> None:
    try:
        check_relative_name(file_name)
    except BadInput as error:
        raise MalformedRequest(f"fileName (body): {error}") from error
    if len(file_name) > MAX_NAME_CHARACTERS:
        raise MalformedRequest(
            f"fileName (body): at most {MAX_NAME_CHARACTERS} characters are allowed."
        )


def _announce(connection: sa.Connection, run: Run, new: NewArtifact) -> Artifact:
    if artifact_repository.count_artifacts(connection, run.id) >= MAX_ARTIFACTS:
        raise BadRequest(f"A run may have at most {MAX_ARTIFACTS} artifacts. Pack files together.")
    artifact = Artifact(
        id=make_id(),
        run_id=run.id,
        attempt=run.attempt,
        type=new.type.value,
        file_name=new.file_name,
        storage_location=new.storage_location.value,
        stated_size_bytes=new.size_bytes,
        stated_sha256=new.sha256,
        size_bytes=None,
        created_at_ms=read_database_ms(connection),
        confirmed_at_ms=None,
    )
    artifact_repository.insert_artifact(connection, artifact)
    return artifact


def _announce_again(connection: sa.Connection, artifact: Artifact, new: NewArtifact) -> None:
    artifact_repository.update_artifact(
        connection,
        artifact.id,
        type=new.type.value,
        storage_location=new.storage_location.value,
        stated_size_bytes=new.size_bytes,
        stated_sha256=new.sha256,
    )


def confirm_artifact(platform: PlatformState, caller: User, run_id: str, artifact_id: str) -> None:
    """Show an artifact whose bytes have arrived. To do so twice changes nothing.

    Raises:
        ArtifactNotUploaded: If they have not, or others than were announced.
    """
    store: FileStore | None = None
    with platform.database.read() as connection:
        run = load_run(connection, caller, run_id)
        artifact = _load_artifact(connection, run, artifact_id)
        if artifact.confirmed_at_ms is not None:
            return
        if _is_in_datasource(artifact):
            store = open_run_store(platform, connection, caller, run, Action.WRITE)
    size_bytes: int | None = None
    if store is not None:
        check_uploaded(store, make_name(run, artifact))
    else:
        # Long files take a while; nobody waits for them in a transaction.
        size_bytes = accept_upload(platform, run, artifact)
    with platform.database.write() as connection:
        run = load_run_to_write(connection, caller, run_id)
        artifact = _load_artifact(connection, run, artifact_id)
        now_ms = read_database_ms(connection)
        if artifact.confirmed_at_ms is None:
            artifact_repository.update_artifact(
                connection, artifact.id, size_bytes=size_bytes, confirmed_at_ms=now_ms
            )
        extend_contract_lease(connection, platform.settings, run, now_ms)
    if store is None:
        platform.blobs.delete(make_upload_key(run, artifact_id))


def _is_in_datasource(artifact: Artifact) -> bool:
    return artifact.storage_location == DockerRunArtifactStorageLocation.DATASOURCE.value


def _load_artifact(connection: sa.Connection, run: Run, artifact_id: str) -> Artifact:
    artifact = artifact_repository.find_artifact(connection, run.id, artifact_id)
    if artifact is None:
        raise ArtifactUnknown
    return artifact


def make_artifact_url(platform: PlatformState, caller: User, run_id: str, artifact_id: str) -> str:
    """Return a URL to read an artifact from.

    Raises:
        ArtifactUnavailable: If its upload was never confirmed.
    """
    with platform.database.read() as connection:
        run = load_run(connection, caller, run_id)
        artifact = _load_artifact(connection, run, artifact_id)
        if artifact.confirmed_at_ms is None:
            raise ArtifactUnavailable
        store: FileStore | None = None
        if _is_in_datasource(artifact):
            store = open_run_store(platform, connection, caller, run, Action.READ)
    if store is not None:
        return sign_in_store(platform, store, make_name(run, artifact), "GET")
    return sign_url(platform, make_content_key(run, artifact.id), "GET")


def make_report_write_url(platform: PlatformState, caller: User, run_id: str) -> str:
    """Return a URL to upload the report of a run to. Each attempt has a place of its own."""
    with platform.database.write() as connection:
        run = load_run_to_write(connection, caller, run_id)
    return sign_url(platform, make_report_key(run, run.attempt), "PUT")


def make_report_read_url(platform: PlatformState, caller: User, run_id: str) -> str:
    """Return a URL to read the report of a run from: the last one that was uploaded.

    Where there is none, the newest PDF among the artifacts takes its place.

    Raises:
        ReportUnavailable: If there is neither.
    """
    with platform.database.read() as connection:
        run = load_run(connection, caller, run_id)
        pdf = artifact_repository.find_newest_of_type(
            connection, run.id, DockerRunArtifactType.REPORT_PDF.value
        )
    for attempt in range(run.attempt, 0, -1):
        key = make_report_key(run, attempt)
        if platform.blobs.head(key) is not None:
            return sign_url(platform, key, "GET")
    if pdf is None:
        raise ReportUnavailable
    return make_artifact_url(platform, caller, run_id, pdf.id)


def read_report(platform: PlatformState, caller: User, run_id: str, type_: str) -> bytes:
    """Return the newest report of a run for programs as JSON text.

    Pages read it from here: they may not fetch anything from the hosts of stores.

    Args:
        platform: The server.
        caller: Who asks.
        run_id: The run.
        type_: Of the artifact.

    Raises:
        ReportUnavailable: If there is none in the platform's own storage, or it is too long.
    """
    with platform.database.read() as connection:
        run = load_run(connection, caller, run_id)
        artifact = artifact_repository.find_newest_of_type(connection, run.id, type_)
    if artifact is None or _is_in_datasource(artifact):
        raise ReportUnavailable
    try:
        with platform.blobs.open(make_content_key(run, artifact.id)) as file:
            content = file.read(MAX_REPORT_BYTES + 1)
    except FileNotFoundError as error:
        raise ReportUnavailable from error
    if len(content) > MAX_REPORT_BYTES:
        raise ReportUnavailable("The report is too long to be shown. Download it instead.")
    return content
