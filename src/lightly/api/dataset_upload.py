"""One upload of a local dataset, from the first question to the tag at the end."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lightly._kit.errors import BadInput
from lightly.api.api_workflow_datasets import CREATOR
from lightly.api.client_base import make_path
from lightly.api.dataset_samples import DatasetSamples, Kind
from lightly.api.errors import (
    ConnectionFailed,
    CorruptImagesWarning,
    IncompleteUploadWarning,
    UnexpectedAnswer,
    UploadInterrupted,
)
from lightly.api.progress import show_progress
from lightly.api.sample_tags import cover_all_samples
from lightly.api.transport import Transport
from lightly.api.upload_engine import UploadEngine
from lightly.api.upload_plan import UploadPlan, make_plan
from lightly.api.upload_sources import LocalDataset, count_decoders, inspect_images

log = logging.getLogger("lightly.api")

#: Files that go with each sample, by mode.
KINDS_OF_MODE: Mapping[str, tuple[Kind, ...]] = {
    "full": ("thumb", "full"),
    "thumbnails": ("thumb",),
    "metadata": (),
}
_IMAGE_TYPES = {"full": "full", "thumbnails": "thumbnail", "metadata": "meta"}


class DatasetUpload:
    """An upload to one dataset on the server. Running it again sends what is missing only.

    Args:
        transport: Calls the server.
        dataset_id: The dataset on the server.
        mode: One of `full`, `thumbnails`, `metadata`.
        max_workers: Most files that are sent at the same time.
        is_verbose: Whether to show a progress bar.

    Raises:
        ValueError: If there is no such mode.
    """

    def __init__(
        self,
        transport: Transport,
        dataset_id: str,
        *,
        mode: str,
        max_workers: int = 8,
        is_verbose: bool = True,
        creator: str = CREATOR,
    ) -> None:
        if mode not in KINDS_OF_MODE:
            raise BadInput(
                f"'mode' must be one of {', '.join(KINDS_OF_MODE)}, got {ascii(mode)[:60]}."
            )
        self._transport = transport
        self._dataset_id = dataset_id
        self._mode = mode
        self._max_workers = max(1, max_workers)
        self._is_verbose = is_verbose
        self._creator = creator

    def run(self, dataset: LocalDataset, custom_metadata: Mapping[str, Any] | None = None) -> None:
        """Upload a dataset.

        Args:
            dataset: The local dataset.
            custom_metadata: Custom metadata of new samples by file name.

        Raises:
            ValueError: If the dataset is too large, or has a name twice.
            UploadInterrupted: If the server stays away.
            ApiException: If it refuses.
        """
        names = check_names(dataset.get_filenames())
        kinds = KINDS_OF_MODE[self._mode]
        samples = DatasetSamples(self._transport, self._dataset_id, max_workers=self._max_workers)
        plan = make_plan(names, samples, kinds)
        self._check_quota(plan)
        engine = UploadEngine(
            self._transport, samples, kinds, custom_metadata or {}, max_workers=self._max_workers
        )
        if plan.positions:
            self._announce(plan)
            self._send(dataset, names, plan, engine)
        cover_all_samples(
            self._transport,
            self._dataset_id,
            image_type=_IMAGE_TYPES[self._mode],
            creator=self._creator,
        )
        _report(engine, len(names))

    def _check_quota(self, plan: UploadPlan) -> None:
        maximum = read_quota(self._transport)
        total = plan.n_on_server + plan.n_new
        if total > maximum:
            raise BadInput(f"The dataset would have {total} samples, the server allows {maximum}.")

    def _announce(self, plan: UploadPlan) -> None:
        path = make_path("v1", "datasets", self._dataset_id, "registerDatasetUpload")
        body = {
            "total": plan.n_on_server + plan.n_new,
            "processed": plan.n_on_server,
            "isRegistered": True,
            "uploadMethod": CREATOR,
        }
        self._transport.put(path, body)

    def _send(
        self, dataset: LocalDataset, names: Sequence[str], plan: UploadPlan, engine: UploadEngine
    ) -> None:
        from lightly.media.sandbox import DecodePool

        lacking = {names[position]: kinds for position, kinds in plan.lacking.items()}
        total = len(plan.positions)
        n_done = 0
        with (
            show_progress("Uploading", unit="imgs", total=total, is_shown=self._is_verbose) as bar,
            DecodePool(count_decoders(self._max_workers)) as pool,
        ):
            images = inspect_images(
                dataset, names, plan.positions, pool, with_thumbnails="thumb" in engine.kinds
            )
            try:
                for count in engine.run(images, lacking):
                    n_done += count
                    bar.update(count)
            except ConnectionFailed as error:
                reason = str(error)
            else:
                return
        raise UploadInterrupted(
            f"{reason} {n_done} of {total} images are on the server. Start the upload again: "
            "these are not sent twice."
        )


def check_names(names: Iterable[str]) -> list[str]:
    """Return file names if each one is there once and can be sent.

    Raises:
        ValueError: If not.
    """
    checked = list(names)
    if len(set(checked)) != len(checked):
        seen: set[str] = set()
        repeated = next(name for name in checked if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # adds
        raise BadInput(f"The dataset has the file name {ascii(repeated)[:80]} more than once.")
    for name in checked:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise BadInput(
                f"The file name {ascii(name)[:80]} is not valid text. Rename the file."
            ) from None
    return checked


def read_quota(transport: Transport) -> int:
    """Return how many samples a dataset of the user may have."""
    answer = transport.get("/v1/quota")
    try:
        return int(answer)
    except (TypeError, ValueError, OverflowError):
        pass
    raise UnexpectedAnswer("The server's answer to a question for the quota is no number.")


def _report(engine: UploadEngine, n_images: int) -> None:
    log.info("%d of %d images were sent.", engine.n_sent, n_images)
    if engine.corrupt.count:
        warnings.warn(
            f"{engine.corrupt.count} images cannot be decoded. They are left out "
            f"of the dataset:{engine.corrupt.describe()}",
            CorruptImagesWarning,
            stacklevel=4,
        )
    if engine.failures.count:
        warnings.warn(
            f"{engine.failures.count} images could not be uploaded. Start the upload again to send "
            f"them:{engine.failures.describe()}",
            IncompleteUploadWarning,
            stacklevel=4,
        )
