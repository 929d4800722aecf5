"""Downloads: the files of a tag's samples by name, and files by the URLs that a listing gave."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import BadInput
from lightly.api.api_workflow_client import ApiWorkflowClient
from lightly.api.api_workflow_tags import TagDoesNotExistError
from lightly.api.blob_files import download_blob
from lightly.api.encoding import decode_json
from lightly.api.errors import ApiException
from lightly.api.file_downloads import FileDownloads, warn_of_failures
from lightly.api.progress import show_progress
from lightly.api.transport import Transport

if TYPE_CHECKING:
    from PIL.Image import Image
    from requests import Session

_NOT_FOUND = 404
_MODES = ("list", "mask", "indices")


class TagMissing(TagDoesNotExistError, RuntimeError):
    """The dataset has no tag with this name."""


def get_samples_by_tag(
    tag_name: str,
    dataset_id: str,
    token: str,
    mode: str = "list",
    filenames: Sequence[str] | None = None,
) -> list[str] | list[int]:
    """Get the files associated with a given tag and dataset.

    Asks the servers for all samples in a given tag and dataset. If mode is mask or indices, the
    list of all filenames must be specified.

    Args:
        tag_name: Name of the tag to query.
        dataset_id: The unique identifier of the dataset.
        token: Token for authentication.
        mode: Return type, must be in ["list", "mask", "indices"].
        filenames: List of all filenames.

    Returns:
        Either list of filenames, binary mask (a 1 or 0 for each of `filenames`), or list of indices
        specifying the samples in the requested tag.

    Raises:
        ValueError: If the mode does not exist, lacks `filenames`, or the tag does not exist (this
            one is a RuntimeError too).
        AssertionError: If samples of the tag are not in `filenames`.
    """
    if mode not in _MODES:
        raise BadInput(f"'mode' must be one of {', '.join(_MODES)}, got {ascii(mode)[:60]}.")
    if mode != "list" and filenames is None:
        raise BadInput(f"With mode {mode!r} the argument 'filenames' must be given.")
    in_tag = _read_tag(ApiWorkflowClient(token=token, dataset_id=dataset_id), tag_name)
    if mode == "list" or filenames is None:
        return in_tag
    wanted = set(in_tag)
    mask = [int(name in wanted) for name in filenames]
    if sum(mask) != len(in_tag):
        raise AssertionError(
            f"{len(in_tag)} samples are in the tag, {sum(mask)} of 'filenames' belong to it."
        )
    return mask if mode == "mask" else [index for index, bit in enumerate(mask) if bit]


def _read_tag(client: ApiWorkflowClient, tag_name: str) -> list[str]:
    try:
        tag = client.get_tag_by_name(tag_name)
    except TagDoesNotExistError as error:
        raise TagMissing(str(error)) from None
    return client.get_filenames_in_tag(tag)


def download_and_write_file(
    url: str,
    output_path: str,
    session: Session | None = None,
    retry_fn: object = None,  # noqa: ARG001  older programs pass it
    request_kwargs: Mapping[str, Any] | None = None,
) -> None:
    """Download a file, such as one that `ApiWorkflowClient.download_raw_samples` lists.

    The file is written as a whole or not at all. Where the transfer breaks off it goes on from
    there.

    Args:
        url: Where to read. It may be a secret and is shown nowhere.
        output_path: The file to write.
        session: Sends the requests in place of connections of our own.
        retry_fn: Without effect: what fails is tried again in any case.
        request_kwargs: `timeout` in seconds and `headers` of the requests.

    Raises:
        ApiException: If the store refuses.
        ConnectionFailed: If it does not answer.
    """
    with open_atomic(Path(output_path)) as target:
        _download(url, target, session, request_kwargs)


def download_and_write_all_files(
    file_infos: Iterable[tuple[str, str]],
    output_dir: str,
    max_workers: int | None = None,
    verbose: bool = False,
    retry_fn: object = None,  # noqa: ARG001  older programs pass it
    request_kwargs: Mapping[str, Any] | None = None,
) -> None:
    """Download files, such as those that `ApiWorkflowClient.download_raw_samples` lists.

    Files that are in the folder already with the right size are not transferred again, so an
    interrupted download goes on where it stopped. Names that would lead outside of the folder are
    refused. What could not be downloaded is listed in an `IncompleteDownloadWarning`.

    Args:
        file_infos: File name and URL of each file.
        output_dir: Folder for the files. Sub-folders are made as the names have them.
        max_workers: Most files that are downloaded at the same time; a number that suits the
            machine if None.
        verbose: Whether to show a progress bar.
        retry_fn: Without effect: what fails is tried again in any case.
        request_kwargs: `timeout` in seconds of the requests.

    Raises:
        ConnectionFailed: If nobody answers for too long.

    Example:
        >>> files = client.download_raw_samples()  # doctest: +SKIP
        >>> download_and_write_all_files(files, "my_images")  # doctest: +SKIP
    """
    files = [(url, name) for name, url in file_infos]
    timeout_s, _ = _read_options(request_kwargs)
    downloads = FileDownloads(
        _make_anonymous(), Path(output_dir), lambda url: url, read_timeout_s=timeout_s
    )
    n_workers = max_workers or min(32, (os.cpu_count() or 1) + 4)
    with show_progress("Downloading", unit="files", total=len(files), is_shown=verbose) as bar:
        for _ in downloads.run(files, max_workers=n_workers):
            bar.update(1)
    warn_of_failures(downloads.failures, len(files), noun="files")


def download_image(
    url: str,
    session: Session | None = None,
    retry_fn: object = None,  # noqa: ARG001  older programs pass it
    request_kwargs: Mapping[str, Any] | None = None,
) -> Image:
    """Download an image and decode it; arguments as for `download_and_write_file`."""
    from PIL import Image

    content = io.BytesIO()
    _download(url, content, session, request_kwargs)
    content.seek(0)
    image = Image.open(content)
    image.load()
    return image


def download_json_file(
    url: str, session: Session | None = None, request_kwargs: Mapping[str, Any] | None = None
) -> Any:
    """Download a JSON file, such as a prediction, and decode it.

    Args:
        url: Where to read.
        session: As for `download_and_write_file`.
        request_kwargs: As for `download_and_write_file`.

    Returns:
        What the file holds; None if there is no such file or it is no JSON.

    Raises:
        ApiException: If the store refuses for another reason.
    """
    content = io.BytesIO()
    try:
        _download(url, content, session, request_kwargs)
    except ApiException as error:
        if error.status != _NOT_FOUND:
            raise
        return None
    try:
        return decode_json(content.getvalue())
    except ValueError:
        return None


def download_prediction_file(
    url: str, session: Session | None = None, request_kwargs: Mapping[str, Any] | None = None
) -> Any:
    """The former name of `download_json_file`."""
    return download_json_file(url, session, request_kwargs)


def _download(
    url: str, target: Any, session: Session | None, request_kwargs: Mapping[str, Any] | None
) -> None:
    timeout_s, headers = _read_options(request_kwargs)
    transport = _make_anonymous()
    try:
        download_blob(
            transport, url, target, read_timeout_s=timeout_s, headers=headers, session=session
        )
    finally:
        transport.close()


def _make_anonymous() -> Transport:
    """Return a transport that opens URLs and knows neither server nor token."""
    return Transport(server_url="", token="")


def _read_options(
    request_kwargs: Mapping[str, Any] | None,
) -> tuple[float | None, dict[str, str]]:
    options = dict(request_kwargs or {})
    timeout_s, headers = options.pop("timeout", None), options.pop("headers", {})
    if options:
        raise BadInput(
            f"'request_kwargs' may have 'timeout' and 'headers', got {next(iter(options))!a}."
        )
    return timeout_s, headers
