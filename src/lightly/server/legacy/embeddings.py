"""Rules of embeddings that client 1.0.8 sends row by row; see `embedding_rows`."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.openapi_generated.swagger_client.models.dimensionality_reduction_method import (
    DimensionalityReductionMethod,
)
from lightly.openapi_generated.swagger_client.models.embedding2d_create_request import (
    Embedding2dCreateRequest,
)
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.embeddings import repository, service
from lightly.server.embeddings.csv_file import show_value
from lightly.server.embeddings.models import Embedding, EmbeddingState, make_csv_key
from lightly.server.errors import BadRequest, EmbeddingNameExists, EmbeddingUnknown
from lightly.server.http.parameters import Page
from lightly.server.legacy.embedding_rows import (
    Piece,
    RowStore,
    check_names_differ,
    contains_rows,
)
from lightly.server.legacy.requests import EmbeddingBody
from lightly.server.platform import PlatformState
from lightly.server.samples import listing
from lightly.server.samples.contents import check_name
from lightly.server.samples.repository import find_by_file_names, read_file_names
from lightly.server.storage.blobs import make_embedding_prefix

#: What the client appends to the name of an embedding for its two-dimensional values.
SUFFIX_2D = "__2D"
_N_AXES = 2


def list_embeddings(
    platform: PlatformState, caller: User, dataset_id: str
) -> list[tuple[str, str]]:
    """Return id and name of the embeddings whose rows are all there, newest first.

    Those whose upload broke off are left out, so that the client may send them again.
    """
    found = service.list_embeddings(platform, caller, dataset_id, newest_first=True)
    return [
        (embedding.id, embedding.name)
        for embedding, _ in found
        if _is_complete(platform, dataset_id, embedding)
    ]


def _is_complete(platform: PlatformState, dataset_id: str, embedding: Embedding) -> bool:
    """Tell whether no more rows of an embedding are expected, nor a better version of them."""
    if embedding.state != EmbeddingState.WAITING:
        return embedding.is_ready
    return platform.blobs.head(make_csv_key(dataset_id, embedding.id)) is not None


def receive_rows(
    platform: PlatformState, caller: User, dataset_id: str, body: EmbeddingBody
) -> None:
    """Take a batch of rows. With the last one the embedding is complete and will be read.

    Raises:
        BadRequest: If the dataset has no sample of a row's name, or vectors differ in length.
        EmbeddingNameExists: If there is a complete embedding of this name with other rows.
        EmbeddingUnknown: If rows are to be added to an embedding that was not begun.
        EmbeddingInvalid: If a sample got two rows.
    """
    service.check_name(body.embedding_name)
    names = [check_name(row.file_name, "embeddings.fileName") for row in body.embeddings]
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        known = {name for _, _, name in find_by_file_names(connection, dataset.key, names)}
        projected = _find_projected(connection, dataset, body.embedding_name)
        embedding = repository.find_embedding_by_name(connection, dataset.key, body.embedding_name)
    if unknown := next((name for name in names if name not in known), None):
        raise BadRequest(f"The dataset has no sample {show_value(unknown)}. Upload it first.")
    if projected is not None:
        _receive_points(platform, caller, dataset, projected, body)
    elif embedding is not None and _is_complete(platform, dataset_id, embedding):
        _refuse_other_rows(platform, dataset_id, embedding, body)
    else:
        _receive_vectors(platform, caller, dataset, embedding, body)


def _find_projected(connection: sa.Connection, dataset: Dataset, name: str) -> Embedding | None:
    """Return the embedding whose two-dimensional values have this name."""
    base_name = name.removesuffix(SUFFIX_2D)
    if base_name == name:
        return None
    return repository.find_embedding_by_name(connection, dataset.key, base_name)


def _refuse_other_rows(
    platform: PlatformState, dataset_id: str, embedding: Embedding, body: EmbeddingBody
) -> None:
    """Accept a batch that a complete embedding holds already: its answer may have been lost."""
    key = make_csv_key(dataset_id, embedding.id)
    if not contains_rows(platform.blobs, key, body.embeddings):
        raise EmbeddingNameExists


def _receive_vectors(
    platform: PlatformState,
    caller: User,
    dataset: Dataset,
    embedding: Embedding | None,
    body: EmbeddingBody,
) -> None:
    if embedding is None and body.append:
        raise EmbeddingUnknown("The first batch of an embedding must have 'append' 0.")
    if body.append and embedding is not None:
        embedding_id = embedding.id
    else:
        _, embedding_id = service.begin_upload(platform, caller, dataset.id, body.embedding_name)
    store = RowStore(platform.blobs, f"{make_embedding_prefix(dataset.id, embedding_id)}rows/")
    pieces = _add_rows(store, body)
    if not _has_all_rows(store, pieces, dataset):
        return
    key = make_csv_key(dataset.id, embedding_id)
    platform.blobs.put(key, store.iterate_csv(pieces))
    store.clear()
    platform.jobs.blob_arrived(key)


def _receive_points(
    platform: PlatformState,
    caller: User,
    dataset: Dataset,
    embedding: Embedding,
    body: EmbeddingBody,
) -> None:
    if any(len(row.value) != _N_AXES for row in body.embeddings):
        raise BadRequest(f"Under a name with the suffix '{SUFFIX_2D}' vectors have two values.")
    store = RowStore(platform.blobs, f"{make_embedding_prefix(dataset.id, embedding.id)}points/")
    if body.append and not store.list_pieces():
        # A batch after the last one: its answer was lost.
        return
    pieces = _add_rows(store, body)
    if not _has_all_rows(store, pieces, dataset):
        return
    points = {name: (float(x), float(y)) for name, x, y, _ in store.iterate_rows(pieces)}
    names = listing.iterate_range(platform, dataset, Page(0, None), read_file_names)
    columns = zip(*(points[name] for piece in names for name in piece), strict=True)
    first, second = (list(column) for column in columns)
    wanted = Embedding2dCreateRequest(
        name=body.embedding_name,
        dimensionality_reduction_method=DimensionalityReductionMethod.PCA,
        coordinates_dimension1=first,
        coordinates_dimension2=second,
    )
    service.create_projection(platform, caller, dataset.id, embedding.id, wanted)
    store.clear()


def _add_rows(store: RowStore, body: EmbeddingBody) -> list[Piece]:
    if not body.append:
        store.clear()
    return store.add(body.embeddings)


def _has_all_rows(store: RowStore, pieces: list[Piece], dataset: Dataset) -> bool:
    """Tell whether there is a row for each sample; all rows are of samples of the dataset."""
    if sum(piece.n_rows for piece in pieces) < dataset.n_samples:
        return False
    return check_names_differ(row[0] for row in store.iterate_rows(pieces)) == dataset.n_samples
