"""SAVING_RESULTS and UPLOADING_DATASET: what was chosen becomes part of the dataset."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from lightly.api.dataset_samples import DatasetSamples, split
from lightly.api.errors import ApiException, BlobTransferFailed
from lightly.api.upload_requests import make_sample_request
from lightly.api.upload_sources import InspectedImage
from lightly.data.datasource_files.metadata_files import write_entries
from lightly.data.datasource_files.names import name_thumbnail
from lightly.data.datasource_files.prediction_files import write_wire_form
from lightly.data.datasource_files.prediction_tasks import write_wire_schema
from lightly.media.reports import ImageReport
from lightly.utils.io import format_header, format_row, format_vector
from lightly.worker.errors import RunFailed
from lightly.worker.runs import artifacts
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.datapool import EMBEDDING_NAME
from lightly.worker.runs.scoring import Scores
from lightly.worker.runs.selecting import Selection
from lightly.worker.shards.records import FileRecord, FramePlace
from lightly.worker.sources.annotations import Annotations

log = logging.getLogger("lightly.worker")

METADATA_CONFIG_NAME = "metadata of the datasource"
_SAMPLES_PER_REQUEST = 1_000
_THUMBNAILS_PER_REQUEST = 200


class DatasetUpload:
    """Adds the images of a selection to the dataset. Doing it twice changes nothing.

    Args:
        context: Of the run.
        candidates: What was selected from.
        selection: What was chosen.
        annotations: Metadata and predictions.
        thumbnail_suffix: Template of thumbnails' names; None if there are none.
    """

    def __init__(
        self,
        context: RunContext,
        candidates: Candidates,
        selection: Selection,
        annotations: Annotations,
        thumbnail_suffix: str | None,
    ) -> None:
        self._context = context
        self._candidates = candidates
        self._picks = selection.picks
        self._path_metadata = selection.plan.path_metadata
        self._n_earlier = selection.n_earlier
        self._annotations = annotations
        self._suffix = thumbnail_suffix
        #: Sizes in bytes, by file name, of images that this run has made: frames.
        self.sizes: Mapping[str, int] = {}
        #: Samples that were added, by file name.
        self.sample_ids: dict[str, str] = {}
        self._samples = DatasetSamples(context.link.transport, context.claim.dataset_id)

    def save_thumbnails(self) -> None:
        """Write the thumbnails of what was chosen into the datasource."""
        if self._suffix is None:
            return
        found = self._candidates.iterate(self._picks, columns=("thumbnail",))
        n_done = 0
        for batch in split((record for _, record in found), _THUMBNAILS_PER_REQUEST):
            self._context.lease.check()
            files = [
                (name_thumbnail(one.name, self._suffix), one.thumbnail or b"") for one in batch
            ]
            try:
                self._context.lightly_side.write(files)
            except (BlobTransferFailed, OSError) as error:
                raise RunFailed(
                    f"Thumbnails cannot be written into the datasource: {error} Let the worker "
                    "write below .lightly/, or set no thumbnail suffix."
                ) from error
            n_done += len(batch)
            self._context.lease.report_progress(n_done, len(self._picks))

    def add_samples(self) -> None:
        """Register what was chosen, with metadata and predictions."""
        self._add_schemas()
        found = self._candidates.iterate(self._picks, columns=("metadata", "exif", "frame"))
        n_done = 0
        for batch in split(found, _SAMPLES_PER_REQUEST):
            self._context.lease.check()
            requests = [self._make_request(position, record) for position, record in batch]
            predictions = []
            for (_, record), sample in zip(batch, self._samples.register(requests), strict=True):
                if isinstance(sample, ApiException):
                    name = record.name[:200]
                    raise RunFailed(f"The server refuses the image {name!r}: {sample}")
                self.sample_ids[record.name] = sample
                predictions.append((sample, self.list_predictions(record.name)))
            for _ in self._samples.update_predictions(
                predictions if self._annotations.stored_tasks else []
            ):
                self._context.lease.check()
            n_done += len(batch)
            self._context.lease.report_progress(n_done, len(self._picks))

    def write_embeddings(self) -> Path:
        """Write the embeddings of what was chosen into the folder of the run."""
        path = self._context.folder.path(artifacts.EMBEDDINGS_NAME)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(format_header(self._candidates.embeddings.shape[1]))
            for position, record in self._candidates.iterate(self._picks):
                vector = format_vector(self._candidates.embeddings[position])
                file.write(format_row([record.name, *vector, "0"]))
        return path

    def add_embeddings(self) -> None:
        """Store the embeddings of what was chosen beside those that the dataset has."""
        path = self.write_embeddings()
        self._context.client.upload_embeddings(str(path), EMBEDDING_NAME)

    def add_scores(self, names: Sequence[str], scores: Mapping[str, Scores]) -> None:
        """Store active-learning scores of all samples of the dataset.

        Args:
            names: File names that the scores are about, in their order.
            scores: By prediction task.
        """
        if not scores:
            return
        places = {name: place for place, name in enumerate(names)}
        stored = self._stored_names
        unknown = [name for name in stored if name not in places]
        if unknown or not stored:
            log.warning("Scores are not stored: %d samples are from elsewhere.", len(unknown))
            return
        for task, found in scores.items():
            if task not in self._annotations.stored_tasks:
                continue
            for kind, values in found.items():
                chosen = [float(values[places[name]]) for name in stored]
                self._context.link.put_scores(task, kind, chosen)

    def refuse_leftovers(self, known: Sequence[str]) -> None:
        """Raise if the dataset has samples that no run has finished: they would get into the tag.

        Args:
            known: File names of earlier samples, then of the candidates.
        """
        wanted = {known[self._n_earlier + int(pick)] for pick in self._picks}
        wanted.update(known[: self._n_earlier])
        others = [name for name in self._stored_names if name not in wanted]
        if others:
            raise RunFailed(
                f"The dataset has {len(others)} samples that belong to no tag, such as "
                f"{others[0][:200]!r}: an earlier run has ended while it added them. Use an empty "
                "dataset, or make a tag of what is there with the datapool on."
            )

    @cached_property
    def _stored_names(self) -> list[str]:
        """The file names of the dataset in its order; first asked for when all are registered."""
        return [name for page in self._samples.iterate_names() for name in page]

    def make_tag(self, *, is_extension: bool) -> None:
        """Make the tag of the run.

        The first run on a dataset makes its initial tag. A later one makes a tag of what it adds.
        """
        run_id = self._context.claim.run_id
        if not is_extension:
            body = {"imgType": "full", "creator": "USER_WORKER", "runId": run_id}
            self._context.link.post_tag("initial", body)
            log.info("The selection is the tag 'initial-tag'.")
            return
        name = f"run_{datetime.now(UTC):%Y%m%d_%H_%M_%S}_{run_id[-6:]}"
        body = {"upsizeTagName": name, "upsizeTagCreator": "USER_WORKER", "runId": run_id}
        self._context.link.post_tag("upsize", body)
        log.info("The selection is the tag %r.", name)

    def _add_schemas(self) -> None:
        from lightly.openapi_generated.swagger_client.models.prediction_task_schema import (  # noqa: PLC0415  loads many models
            PredictionTaskSchema,
        )

        for name, schema in self._annotations.stored_tasks.items():
            body = PredictionTaskSchema.from_dict(write_wire_schema(schema, name))
            self._context.client.create_or_update_prediction_task_schema(body)
        entries = write_entries(self._annotations.metadata_schema)
        if entries:
            self._context.link.add_metadata_config(METADATA_CONFIG_NAME, entries)

    def _make_request(self, position: int, record: FileRecord) -> dict[str, Any]:
        metadata = dict(record.metadata or {})
        if record.name in self.sizes:
            metadata["size_in_bytes"] = self.sizes[record.name]
        report = ImageReport(metadata, exif=record.exif or {})
        image = InspectedImage(record.name, b"", report, _describe_place(record.frame))
        custom = dict(self._annotations.find_metadata(record.name) or {})
        for group, values in self._path_metadata.items():
            value = values[self._n_earlier + position]
            if value is not None:
                custom.setdefault(group, value)
        request = make_sample_request(image, custom or None, has_thumbnail=False)
        if self._suffix is not None:
            request["thumbName"] = name_thumbnail(record.name, self._suffix)
        return request

    def list_predictions(self, name: str) -> list[dict[str, Any]]:
        """Return the predictions of an image in their wire form, in the order of its sample."""
        return [
            singleton
            for task, schema in self._annotations.stored_tasks.items()
            for singleton in write_wire_form(
                self._annotations.find_predictions(task, name), task, schema.task_type
            )
        ]


def _describe_place(frame: FramePlace | None) -> dict[str, Any] | None:
    """Return the contract's `VideoFrameData`; None for an image."""
    if frame is None:
        return None
    place = {"sourceVideo": frame.video, "sourceVideoFrameIndex": frame.index}
    if frame.timestamp_s is None:
        return place
    return {**place, "sourceVideoFrameTimestamp": frame.timestamp_s}
