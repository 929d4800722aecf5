"""Embeddings: upload, find, download."""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import LightlyError
from lightly.api.answers import read_id, read_models, read_text
from lightly.api.blob_files import CountedFile, download_blob
from lightly.api.client_base import ClientBase, log
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.embedding_csv import RowsMissing, merge_rows, order_rows
from lightly.api.errors import ApiException
from lightly.api.progress import show_progress

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.dataset_embedding_data import (
        DatasetEmbeddingData,
    )

#: The contract's three ways to draw embeddings in a plane.
PROJECTIONS = ("PCA", "TSNE", "UMAP")
_DEFAULT_NAME = "default"
_WITHOUT_ROWS = "EMBEDDING_NOT_READY"


class EmbeddingDoesNotExistError(LightlyError, ValueError):
    """The dataset has no embedding with this name."""

    code = "embedding_unknown"


class _UploadEmbeddingsMixin(ClientBase):
    """Embeddings: upload, find, download."""

    def get_all_embedding_data(self) -> list[DatasetEmbeddingData]:
        """Return all embeddings of the current dataset, newest first."""
        from lightly.openapi_generated.swagger_client.models.dataset_embedding_data import (
            DatasetEmbeddingData,
        )

        answer = self._transport.get(self._below_dataset("embeddings"))
        # Servers sort for the client they think they see; this order holds in any case.
        found = read_models(DatasetEmbeddingData, answer)
        return sorted(found, key=lambda embedding: embedding.created_at, reverse=True)

    def set_embedding_id_to_latest(self) -> None:
        """Make the newest embedding on the server the one that selections use.

        Raises:
            RuntimeError: If the dataset has no embedding.
        """
        embeddings = self.get_all_embedding_data()
        if not embeddings:
            raise RuntimeError(
                "The dataset has no embedding. Make one with `lightly embed` and upload it with "
                "upload_embeddings()."
            )
        self.embedding_id = embeddings[0].id

    def set_embedding_id_by_name(self, embedding_name: str | None = None) -> None:
        """Make an embedding the one that selections use, as in clients up to 1.1.

        Args:
            embedding_name: The exact name; the newest embedding if left out.

        Raises:
            EmbeddingDoesNotExistError: If there is none with this name.
            RuntimeError: If no name is given and the dataset has no embedding.
        """
        if embedding_name is None:
            self.set_embedding_id_to_latest()
        else:
            self.embedding_id = self.get_embedding_data_by_name(embedding_name).id

    def get_embedding_by_name(self, name: str, ignore_suffix: bool = True) -> DatasetEmbeddingData:
        """Get an embedding from the server by name.

        Args:
            name: The name of the embedding to get.
            ignore_suffix: Take the newest embedding whose name begins with `name`. Otherwise the
                whole name must be equal.

        Returns:
            The embedding data.

        Raises:
            EmbeddingDoesNotExistError: If there is none.
        """
        for embedding in self.get_all_embedding_data():
            begins = ignore_suffix and embedding.name.startswith(name)
            if begins or embedding.name == name:
                return embedding
        raise EmbeddingDoesNotExistError(
            f"The dataset {self.dataset_id} has no embedding named {ascii(name)[:80]}."
        )

    def get_embedding_data_by_name(self, name: str) -> DatasetEmbeddingData:
        """Return the embedding with exactly this name.

        Raises:
            EmbeddingDoesNotExistError: If there is none.
        """
        return self.get_embedding_by_name(name, ignore_suffix=False)

    def upload_embeddings(self, path_to_embeddings_csv: str, name: str) -> None:
        """Upload the embeddings of all samples of the current dataset.

        The rows are sent in the order of the server's samples; the file itself is not changed. If
        an embedding whose name begins with `name` is on the server, nothing is replaced:

        - samples without a row in the file keep the row they have on the server,
        - the result is stored under `name` and the time,
        - if nothing would change, nothing is sent.

        The embedding becomes the one that selections use.

        Args:
            path_to_embeddings_csv: The file, such as `path/to/embeddings.csv`, in the form that
                `lightly.utils.io` describes.
            name: The name of the embedding.

        Raises:
            ValueError: If file and dataset do not hold the same file names.
            RuntimeError: If the file is malformed.
        """
        with tempfile.TemporaryDirectory(prefix="lightly-embeddings-") as folder:
            on_server = Path(folder) / "server.csv"
            known = self._fetch_newest(name, on_server)
            ordered = self._order_embeddings(
                Path(path_to_embeddings_csv), on_server if known else None, Path(folder)
            )
            if known is None:
                self._send_embedding(ordered, name)
            elif filecmp.cmp(ordered, on_server, shallow=False):
                log.info("The embedding %s is on the server already.", known.name)
                self.embedding_id = known.id
                # The upload may have been interrupted just before this.
                self._trigger_projections(known.id)
            else:
                moment = f"{datetime.now().astimezone():%Y%m%d_%Hh%Mm%Ss}"
                self._send_embedding(ordered, f"{name}_{moment}")

    def append_embeddings(self, path_to_embeddings_csv: str, embedding_id: str) -> None:
        """Add the rows of an embedding on the server to a local embeddings file.

        The server's rows come first. Where both have a row for a sample, the local one is kept.

        Args:
            path_to_embeddings_csv: The local file. It is replaced as a whole, or not at all.
            embedding_id: Id of the embedding on the server.

        Raises:
            RuntimeError: If the number of columns in the local and the remote embeddings file
                mismatch.
        """
        local = Path(path_to_embeddings_csv)
        with tempfile.TemporaryDirectory(prefix="lightly-embeddings-") as folder:
            remote = Path(folder) / "server.csv"
            self.download_embeddings_csv_by_id(embedding_id, str(remote))
            with open_atomic(local) as target:
                merge_rows(local, remote, target)

    def download_embeddings_csv_by_id(self, embedding_id: str, output_path: str) -> None:
        """Download an embedding.

        Args:
            embedding_id: Which one.
            output_path: The CSV file to write.

        Raises:
            ApiException: If it does not exist.
        """
        path = self._below_dataset("embeddings", embedding_id, "readCSVUrl")
        url = read_text(self._transport.get(path))
        with open_atomic(Path(output_path)) as target:
            download_blob(self._transport, url, target)

    def download_embeddings_csv(self, output_path: str) -> None:
        """Download the newest embedding whose name begins with `default`.

        Args:
            output_path: The CSV file to write.

        Raises:
            EmbeddingDoesNotExistError: If there is none.
        """
        embedding = self.get_embedding_by_name(_DEFAULT_NAME)
        self.download_embeddings_csv_by_id(embedding.id, output_path)

    def _fetch_newest(self, name: str, path: Path) -> DatasetEmbeddingData | None:
        """Download the newest embedding whose name begins so, and return it; None if none does."""
        for embedding in self.get_all_embedding_data():
            if embedding.name.startswith(name):
                try:
                    self.download_embeddings_csv_by_id(embedding.id, str(path))
                except ApiException as error:
                    # An upload that was interrupted leaves a name without rows.
                    if error.status != 404 and error.code != _WITHOUT_ROWS:
                        raise
                else:
                    return embedding
        return None

    def _order_embeddings(self, local: Path, on_server: Path | None, folder: Path) -> Path:
        """Write the rows of all samples in the server's order and return the file."""
        ordered = folder / "ordered.csv"
        try:
            with ordered.open("wb") as target:
                order_rows(local, self._iterate_filenames, target)
        except RowsMissing:
            if on_server is None:
                raise
            merged = folder / "merged.csv"
            with merged.open("wb") as target:
                merge_rows(local, on_server, target)
            with ordered.open("wb") as target:
                order_rows(merged, self._iterate_filenames, target)
        return ordered

    def _iterate_filenames(self) -> Iterator[str]:
        samples = DatasetSamples(self._transport, self.dataset_id)
        return (name for page in samples.iterate_names() for name in page)

    def _upload_new_embedding(
        self, path_to_embeddings_csv: str, name: str, *, is_verbose: bool
    ) -> None:
        """Upload embeddings whose name is new, with a row for every sample."""
        with tempfile.TemporaryDirectory(prefix="lightly-embeddings-") as folder:
            ordered = self._order_embeddings(Path(path_to_embeddings_csv), None, Path(folder))
            self._send_embedding(ordered, name, is_verbose=is_verbose)

    def _send_embedding(self, path: Path, name: str, *, is_verbose: bool = True) -> None:
        """Upload an ordered file as a new embedding and make it the current one."""
        answer = self._transport.get(
            self._below_dataset("embeddings", "writeCSVUrl"), {"name": name}
        )
        embedding_id, url = read_id(answer, "embeddingId"), read_id(answer, "signedWriteUrl")
        title, size_bytes = f"Uploading {name}", path.stat().st_size
        with (
            path.open("rb") as file,
            show_progress(title, unit="B", total=size_bytes, is_shown=is_verbose) as bar,
        ):
            self._transport.put_blob(url, cast("IO[bytes]", CountedFile(file, bar)))
        self.embedding_id = embedding_id
        self._trigger_projections(embedding_id)

    def _trigger_projections(self, embedding_id: str) -> None:
        path = self._below_dataset("embeddings", embedding_id, "trigger2dEmbeddingsJob")
        for method in PROJECTIONS:
            body = {"dimensionalityReductionMethod": method}
            self._transport.post(path, body, is_repeatable=True)
