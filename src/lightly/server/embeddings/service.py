"""Rules of embeddings and their projections."""

from __future__ import annotations

import datetime as dt

import numpy as np
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.embedding2d_create_request import (
    Embedding2dCreateRequest,
)
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset
from lightly.server.embeddings import repository
from lightly.server.embeddings.access import load_embedding
from lightly.server.embeddings.arrival import require_reading
from lightly.server.embeddings.coordinates import pack_coordinates
from lightly.server.embeddings.models import (
    Embedding,
    EmbeddingState,
    Projection,
    make_csv_key,
)
from lightly.server.embeddings.projection_jobs import add_projection_job
from lightly.server.errors import (
    BadRequest,
    Embedding2dUnknown,
    EmbeddingNameExists,
    EmbeddingNotReady,
    EmbeddingRowCountInvalid,
    MalformedRequest,
)
from lightly.server.platform import PlatformState
from lightly.server.samples.changes import note_scores
from lightly.server.samples.service import load_sample
from lightly.server.storage.blobs import make_embedding_prefix

#: Used when a write URL is asked for without a name; clients look for names that begin with it.
DEFAULT_NAME = "default"
#: The contract has no limit, but the index over names does.
MAX_NAME_CHARACTERS = 255


def list_embeddings(
    platform: PlatformState, caller: User, dataset_id: str, *, newest_first: bool
) -> list[tuple[Embedding, bool]]:
    """Return the embeddings of a dataset, each with whether it has a projection."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return repository.list_embeddings(connection, dataset.key, newest_first=newest_first)


def begin_upload(
    platform: PlatformState, caller: User, dataset_id: str, name: str | None
) -> tuple[str, str]:
    """Make an embedding that waits for its CSV; return the URL for that and its id.

    A name whose CSV never arrived, or was refused, is given out again: that is how a client goes on
    after a lost answer, a broken upload or a mistake in the file.

    Raises:
        EmbeddingNameExists: If the dataset has an embedding of this name.
    """
    if name is not None:
        check_name(name)
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        # Two requests for one name come one after the other.
        lock_dataset(connection, dataset.key)
        now_ms = platform.clock.now_ms()
        embedding = _find_reusable(platform, connection, dataset, name)
        if embedding is None:
            chosen = name or _choose_name(connection, dataset, now_ms)
            embedding = _insert(connection, dataset, chosen, now_ms)
    platform.jobs.expect_work()
    url = platform.blobs.sign_url(
        make_csv_key(dataset_id, embedding.id),
        "PUT",
        ttl_s=platform.settings.signed_url_ttl_s,
        now_s=now_ms / 1000,
    )
    return url, embedding.id


def check_name(name: str) -> None:
    """Raise `MalformedRequest` unless an embedding can be called so."""
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        raise MalformedRequest(f"'name' must have 1 to {MAX_NAME_CHARACTERS} printable characters.")


def _find_reusable(
    platform: PlatformState, connection: sa.Connection, dataset: Dataset, name: str | None
) -> Embedding | None:
    if name is None:
        return None
    embedding = repository.find_embedding_by_name(connection, dataset.key, name)
    if embedding is None:
        return None
    never_arrived = (
        embedding.source_etag is None
        and platform.blobs.head(make_csv_key(dataset.id, embedding.id)) is None
    )
    if not never_arrived and embedding.state != EmbeddingState.FAILED:
        raise EmbeddingNameExists
    return embedding


def _choose_name(connection: sa.Connection, dataset: Dataset, now_ms: int) -> str:
    if repository.find_embedding_by_name(connection, dataset.key, DEFAULT_NAME) is None:
        return DEFAULT_NAME
    moment = dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC)
    return f"{DEFAULT_NAME}_{moment:%Y%m%d_%Hh%Mm%Ss}_{make_id()[-6:]}"


def _insert(connection: sa.Connection, dataset: Dataset, name: str, now_ms: int) -> Embedding:
    embedding = Embedding(
        id=make_id(),
        dataset_key=dataset.key,
        name=name,
        state=EmbeddingState.WAITING.value,
        error=None,
        n_rows=0,
        dimension=0,
        source_etag=None,
        created_at_ms=now_ms,
    )
    repository.insert_embedding(connection, embedding)
    return embedding


def sign_csv_url(platform: PlatformState, caller: User, dataset_id: str, embedding_id: str) -> str:
    """Return where the CSV can be read, byte for byte as it was uploaded.

    Raises:
        EmbeddingNotReady: If there is none yet.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        embedding = load_embedding(connection, dataset, embedding_id)
    key = make_csv_key(dataset.id, embedding.id)
    if platform.blobs.head(key) is None:
        raise EmbeddingNotReady
    now_s = platform.clock.now_ms() / 1000
    return platform.blobs.sign_url(
        key, "GET", ttl_s=platform.settings.signed_url_ttl_s, now_s=now_s
    )


def mark_processed(
    platform: PlatformState, caller: User, dataset_id: str, embedding_id: str, row_count: float
) -> None:
    """Take a client's word that the CSV is complete, which the server then reads for itself.

    Raises:
        EmbeddingNotReady: If there is no CSV.
        EmbeddingInvalid: If it breaks a rule.
        EmbeddingRowCountInvalid: If it cannot have so many rows.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        embedding = load_embedding(connection, dataset, embedding_id)
        reading = require_reading(
            connection, platform.blobs, embedding, dataset.id, caller.id, platform.clock.now_ms()
        )
        n_rows = embedding.n_rows if reading is None else dataset.n_samples
        if row_count != n_rows:
            raise EmbeddingRowCountInvalid(
                f"'rowCount' is {row_count:.15g}, but there are {n_rows} rows."
            )
    platform.jobs.notify()


def delete_embedding(
    platform: PlatformState, caller: User, dataset_id: str, embedding_id: str
) -> None:
    """Remove an embedding, its projections and its files."""
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        embedding = load_embedding(connection, dataset, embedding_id)
        repository.delete_embedding(connection, embedding.id)
        # Outliers among its vectors are a column.
        note_scores(connection, dataset.key)
    platform.blobs.delete_below(make_embedding_prefix(dataset_id, embedding_id))


def trigger_projection(
    platform: PlatformState, caller: User, dataset_id: str, embedding_id: str, method: str
) -> None:
    """Ask for a projection; it begins once the CSV has been read. Asking again changes nothing.

    Raises:
        EmbeddingNotReady: If there is no CSV.
        EmbeddingInvalid: If it breaks a rule.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        embedding = load_embedding(connection, dataset, embedding_id)
        now_ms = platform.clock.now_ms()
        reading = require_reading(
            connection, platform.blobs, embedding, dataset.id, caller.id, now_ms
        )
        info = platform.blobs.head(make_csv_key(dataset.id, embedding.id))
        if info is None:
            raise EmbeddingNotReady
        add_projection_job(
            connection,
            user_id=caller.id,
            dataset_id=dataset.id,
            embedding_id=embedding.id,
            etag=info.etag,
            method=method,
            after_job_id=reading,
            now_ms=now_ms,
        )
    platform.jobs.notify()


def list_projections(
    platform: PlatformState, caller: User, dataset_id: str, embedding_id: str
) -> list[Projection]:
    """Return the projections of an embedding without their coordinates, oldest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        embedding = load_embedding(connection, dataset, embedding_id)
        return repository.list_projections(connection, embedding.id)


def get_projection(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    embedding_id: str,
    projection_id: str,
    *,
    with_coordinates: bool,
) -> Projection:
    """Return one projection."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        embedding = load_embedding(connection, dataset, embedding_id)
        projection = repository.find_projection(
            connection, embedding.id, projection_id, with_coordinates=with_coordinates
        )
    if projection is None:
        raise Embedding2dUnknown
    return projection


def read_coordinates(platform: PlatformState, projection: Projection) -> bytes | None:
    """Return the packed coordinates of a projection that was loaded for the caller.

    None if it was deleted meanwhile.
    """
    with platform.database.read() as connection:
        found = repository.find_projection(
            connection, projection.embedding_id, projection.id, with_coordinates=True
        )
    return None if found is None else found.coordinates


def create_projection(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    embedding_id: str,
    body: Embedding2dCreateRequest,
) -> str:
    """Store a projection that a client has made; return its id.

    One of the same method and name is replaced and keeps its id.

    Raises:
        MalformedRequest: If the coordinates do not make points.
        EmbeddingRowCountInvalid: If there is not one point per sample.
    """
    check_name(body.name)
    columns = (body.coordinates_dimension1, body.coordinates_dimension2)
    if len(columns[0]) != len(columns[1]):
        raise MalformedRequest(
            f"Both lists of coordinates must be equally long, got {len(columns[0])} and "
            f"{len(columns[1])}."
        )
    # Numbers beyond float32 become infinite here and are refused below.
    with np.errstate(over="ignore"):
        points = np.array(columns, dtype=np.float64).T.astype(np.float32)
    if not np.isfinite(points).all():
        raise BadRequest("Coordinates must be finite 32-bit numbers.")
    packed = pack_coordinates(points)
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        embedding = load_embedding(connection, dataset, embedding_id)
        n_rows = embedding.n_rows if embedding.is_ready else dataset.n_samples
        if len(points) != n_rows:
            raise EmbeddingRowCountInvalid(
                f"There must be one point for each of the {n_rows} samples, got {len(points)}."
            )
        return repository.put_projection(
            connection,
            Projection(
                id=make_id(),
                embedding_id=embedding.id,
                name=body.name,
                method=body.dimensionality_reduction_method.value,
                created_at_ms=platform.clock.now_ms(),
                coordinates=packed,
            ),
        )


def list_for_sample(
    platform: PlatformState, caller: User, dataset_id: str, sample_id: str
) -> list[Embedding]:
    """Return the embeddings that have a vector for a sample."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        sample = load_sample(connection, dataset, sample_id)
        return repository.list_covering(connection, dataset.key, sample.idx)
