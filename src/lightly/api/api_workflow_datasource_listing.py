"""What is in a datasource: files, predictions, metadata, and URLs to read them from."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from lightly._kit.errors import BadInput
from lightly.api.answers import read_count, read_text
from lightly.api.client_base import ClientBase
from lightly.api.datasource_listing import DatasourceListing, ListingOptions
from lightly.api.progress import ProgressBar

Rows = list[tuple[str, str]]


class _DatasourceListingMixin(ClientBase):
    """What is in a datasource.

    Moments are seconds since 1970. A file belongs to the moment at which it was last written.
    """

    def download_raw_samples(
        self,
        from_: int = 0,
        to: int | None = None,
        relevant_filenames_file_name: str | None = None,
        *,
        divide_and_conquer_shards: int = 1,
        use_redirected_read_url: bool = False,
        progress_bar: ProgressBar | None = None,
    ) -> Rows:
        """List the images or videos in the datasource of the current dataset.

        Names that are no relative paths are left out with an `IncompleteListingWarning`.

        Args:
            from_: First moment of the files.
            to: Last moment of the files; now if None. Both ends are included.
            relevant_filenames_file_name: A text file in the datasource that says which files
                matter, such as ".lightly/relevant.txt".
            divide_and_conquer_shards: In how many parts to list at the same time.
            use_redirected_read_url: Ask for URLs that never expire: they lead back to the server,
                which makes a fresh one.
            progress_bar: Anything with a method `update`, such as a bar of `tqdm`; it moves on by
                one for each file.

        Returns:
            A tuple of file name and read URL for each file.

        Raises:
            ValueError: If `to` is before `from_`, or a number is out of range.
            ApiException: If the server cannot list, for example for lack of a datasource.

        Example:
            >>> client.download_raw_samples(divide_and_conquer_shards=8)  # doctest: +SKIP
            [('image-1.png', 'https://...'), ('image-2.png', 'https://...')]
        """
        filters = {"relevantFilenamesFileName": relevant_filenames_file_name}
        listing = DatasourceListing(
            self._transport,
            self._below_dataset("datasource", "list"),
            filters,
            ListingOptions(from_, to, divide_and_conquer_shards, use_redirected_read_url),
        )
        return _read_all(listing, progress_bar)

    def download_new_raw_samples(
        self, *, divide_and_conquer_shards: int = 1, use_redirected_read_url: bool = False
    ) -> Rows:
        """List the files that came since the last call, and remember that they were seen.

        Everything after `get_processed_until_timestamp()` up to now is listed; then that timestamp
        is moved to now. If listing fails it stays where it was.

        Args:
            divide_and_conquer_shards: As in `download_raw_samples`.
            use_redirected_read_url: As in `download_raw_samples`.

        Returns:
            A tuple of file name and read URL for each file.

        Raises:
            ApiException: If the server cannot list.
        """
        seen_until = self.get_processed_until_timestamp()
        now = int(time.time())
        from_ = seen_until + 1 if seen_until else 0
        if from_ > now:
            return []
        rows = self.download_raw_samples(
            from_,
            now,
            divide_and_conquer_shards=divide_and_conquer_shards,
            use_redirected_read_url=use_redirected_read_url,
        )
        self.update_processed_until_timestamp(now)
        return rows

    def download_raw_predictions(
        self,
        task_name: str,
        from_: int = 0,
        to: int | None = None,
        relevant_filenames_file_name: str | None = None,
        *,
        run_id: str | None = None,
        relevant_filenames_artifact_id: str | None = None,
        divide_and_conquer_shards: int = 1,
        use_redirected_read_url: bool = False,
        progress_bar: ProgressBar | None = None,
    ) -> Rows:
        """List the prediction files of a task in the datasource of the current dataset.

        Args:
            task_name: Name of the prediction task.
            from_: As in `download_raw_samples`.
            to: As in `download_raw_samples`.
            relevant_filenames_file_name: As in `download_raw_samples`.
            run_id: The run whose list of relevant files is taken, together with
                `relevant_filenames_artifact_id`.
            relevant_filenames_artifact_id: The list among the artifacts of that run.
            divide_and_conquer_shards: As in `download_raw_samples`.
            use_redirected_read_url: As in `download_raw_samples`.
            progress_bar: As in `download_raw_samples`.

        Returns:
            A tuple of file name and read URL for each file.

        Raises:
            ValueError: If only one of `run_id` and `relevant_filenames_artifact_id` is given.
            ApiException: If the server cannot list.
        """
        listing = self._list_predictions(
            task_name,
            _make_filters(relevant_filenames_file_name, run_id, relevant_filenames_artifact_id),
            ListingOptions(from_, to, divide_and_conquer_shards, use_redirected_read_url),
        )
        return _read_all(listing, progress_bar)

    def download_raw_predictions_iter(
        self,
        task_name: str,
        from_: int = 0,
        to: int | None = None,
        relevant_filenames_file_name: str | None = None,
        run_id: str | None = None,
        relevant_filenames_artifact_id: str | None = None,
        divide_and_conquer_shards: int = 1,
        use_redirected_read_url: bool = False,
        progress_bar: ProgressBar | None = None,
    ) -> Iterator[tuple[str, str]]:
        """Yield what `download_raw_predictions` returns one by one, in any order."""
        listing = self._list_predictions(
            task_name,
            _make_filters(relevant_filenames_file_name, run_id, relevant_filenames_artifact_id),
            ListingOptions(from_, to, divide_and_conquer_shards, use_redirected_read_url),
        )
        return _iterate_rows(listing, progress_bar)

    def download_raw_metadata(
        self,
        from_: int = 0,
        to: int | None = None,
        relevant_filenames_file_name: str | None = None,
        *,
        run_id: str | None = None,
        relevant_filenames_artifact_id: str | None = None,
        divide_and_conquer_shards: int = 1,
        use_redirected_read_url: bool = False,
        progress_bar: ProgressBar | None = None,
    ) -> Rows:
        """List the metadata files in the datasource of the current dataset.

        Args:
            from_: As in `download_raw_samples`.
            to: As in `download_raw_samples`.
            relevant_filenames_file_name: As in `download_raw_samples`.
            run_id: As in `download_raw_predictions`.
            relevant_filenames_artifact_id: As in `download_raw_predictions`.
            divide_and_conquer_shards: As in `download_raw_samples`.
            use_redirected_read_url: As in `download_raw_samples`.
            progress_bar: As in `download_raw_samples`.

        Returns:
            A tuple of file name and read URL for each file.

        Raises:
            ValueError: If only one of `run_id` and `relevant_filenames_artifact_id` is given.
            ApiException: If the server cannot list.
        """
        listing = self._list_metadata(
            _make_filters(relevant_filenames_file_name, run_id, relevant_filenames_artifact_id),
            ListingOptions(from_, to, divide_and_conquer_shards, use_redirected_read_url),
        )
        return _read_all(listing, progress_bar)

    def download_raw_metadata_iter(
        self,
        from_: int = 0,
        to: int | None = None,
        run_id: str | None = None,
        relevant_filenames_artifact_id: str | None = None,
        relevant_filenames_file_name: str | None = None,
        divide_and_conquer_shards: int = 1,
        use_redirected_read_url: bool = False,
        progress_bar: ProgressBar | None = None,
    ) -> Iterator[tuple[str, str]]:
        """Yield what `download_raw_metadata` returns one by one, in any order.

        Mind that `run_id` and `relevant_filenames_artifact_id` come first here.
        """
        listing = self._list_metadata(
            _make_filters(relevant_filenames_file_name, run_id, relevant_filenames_artifact_id),
            ListingOptions(from_, to, divide_and_conquer_shards, use_redirected_read_url),
        )
        return _iterate_rows(listing, progress_bar)

    def get_prediction_read_url(self, filename: str) -> str:
        """Return a URL to read a file below `.lightly/predictions/` from.

        Args:
            filename: Name of the file, such as "tasks.json".

        Returns:
            The URL. There is one even if the file does not exist.
        """
        return self._find_read_url("predictions", filename)

    def get_metadata_read_url(self, filename: str) -> str:
        """Return a URL to read a file below `.lightly/metadata/` from.

        Args:
            filename: Name of the file, such as "schema.json".

        Returns:
            The URL. There is one even if the file does not exist.
        """
        return self._find_read_url("metadata", filename)

    def get_custom_embedding_read_url(self, filename: str) -> str:
        """Return a URL to read a file below `.lightly/embeddings/` from.

        Args:
            filename: Name of the file, such as "embeddings.csv".

        Returns:
            The URL. There is one even if the file does not exist.
        """
        return self._find_read_url("embeddings", filename)

    def get_processed_until_timestamp(self) -> int:
        """Return the moment until which files have been processed.

        Returns:
            Seconds since 1970; 0 if nothing was processed yet.
        """
        answer = self._transport.get(self._below_dataset("datasource", "processedUntilTimestamp"))
        return read_count(answer, "processedUntilTimestamp")

    def update_processed_until_timestamp(self, timestamp: int) -> None:
        """Set the moment until which files have been processed.

        Args:
            timestamp: Seconds since 1970.
        """
        self._transport.put(
            self._below_dataset("datasource", "processedUntilTimestamp"),
            {"processedUntilTimestamp": int(timestamp)},
        )

    def _list_predictions(
        self, task_name: str, filters: Mapping[str, str | None], options: ListingOptions
    ) -> DatasourceListing:
        path = self._below_dataset("datasource", "predictions", "list")
        return DatasourceListing(self._transport, path, {"taskName": task_name, **filters}, options)

    def _list_metadata(
        self, filters: Mapping[str, str | None], options: ListingOptions
    ) -> DatasourceListing:
        path = self._below_dataset("datasource", "metadata", "list")
        return DatasourceListing(self._transport, path, filters, options)

    def _find_read_url(self, folder: str, filename: str) -> str:
        path = self._below_dataset("datasource", folder, "file")
        return read_text(self._transport.get(path, {"fileName": filename}))


def _make_filters(
    file_name: str | None, run_id: str | None, artifact_id: str | None
) -> dict[str, str | None]:
    if (run_id is None) != (artifact_id is None):
        raise BadInput(
            "'run_id' and 'relevant_filenames_artifact_id' belong together: pass both or none."
        )
    return {
        "relevantFilenamesFileName": file_name,
        "relevantFilenamesRunId": run_id,
        "relevantFilenamesArtifactId": artifact_id,
    }


def _read_all(listing: DatasourceListing, progress_bar: ProgressBar | None) -> Rows:
    if progress_bar is None:
        return listing.read_all()
    return list(_iterate_rows(listing, progress_bar))


def _iterate_rows(
    listing: DatasourceListing, progress_bar: ProgressBar | None
) -> Iterator[tuple[str, str]]:
    for page in listing.iterate():
        if progress_bar is not None:
            progress_bar.update(len(page))
        yield from page
