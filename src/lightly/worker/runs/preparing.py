"""INITIALIZING: does what the run asks for go together with what is there?"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from lightly._kit.atomic_files import write_atomic
from lightly.openapi_generated.swagger_client.models.dataset_data import DatasetData
from lightly.openapi_generated.swagger_client.models.tag_data import TagData
from lightly.worker.errors import RunRefused
from lightly.worker.runs.context import RunContext
from lightly.worker.sources.datasource import Period

#: What the worker must be allowed to do, and what for.
_RIGHTS = {
    "can_list": "list the input",
    "can_read": "read the input",
    "can_write": "write thumbnails and frames below .lightly/",
}
IMAGES, VIDEOS, CROPS = "Images", "Videos", "Crops"
_INITIAL_TAG = "initial-tag"


@dataclass(frozen=True)
class Preparation:
    """What the later stages go by.

    Attributes:
        dataset: As it was before the run.
        period: Which files to list.
        initial_tag: The tag that holds all samples of earlier runs; None on a fresh dataset.
        own_tag: The tag that an earlier attempt at this run has made already.
        thumbnail_suffix: Template of the names of thumbnails; None if there shall be none.
    """

    dataset: DatasetData
    period: Period
    thumbnail_suffix: str | None
    initial_tag: TagData | None
    own_tag: TagData | None


def prepare(context: RunContext) -> Preparation:
    """Check dataset and datasource.

    Raises:
        RunRefused: If the run cannot do what it shall; says what to change.
    """
    client, options = context.client, context.options
    dataset = client.get_dataset_by_id(context.claim.dataset_id)
    if dataset.type.value == CROPS:
        raise RunRefused(
            f"The dataset {dataset.name[:200]!r} holds crops of another one. Schedule the run on "
            f"the dataset {dataset.parent_dataset_id or 'that they were cut from'}: it finds its "
            "crops again."
        )
    if dataset.type.value not in {IMAGES, VIDEOS}:
        raise RunRefused(f"Datasets of type {dataset.type.value} cannot be processed.")
    if options.sequence_length > 1 and not context.holds_videos:
        raise RunRefused(
            "Sequences are made of frames of videos, and the dataset holds images. Leave "
            "worker_config.selected_sequence_length out, or use a dataset of type Videos."
        )
    tags = client.get_all_tags() if dataset.n_samples else []
    initial_tag = next((tag for tag in tags if tag.name == _INITIAL_TAG), None)
    own_tag = next((tag for tag in tags if tag.run_id == context.claim.run_id), None)
    if initial_tag is not None and own_tag is None and not options.use_datapool:
        raise RunRefused(
            f"The dataset has {dataset.n_samples} samples and the datapool is off. Set "
            "worker_config.use_datapool to true to add to them, or use an empty dataset."
        )
    thumbnail_suffix = _read_thumbnail_suffix(context)
    if not options.bypass_verify and not context.is_mounted:
        needs_writing = thumbnail_suffix is not None or context.holds_videos
        _check_rights(context, needs_writing=needs_writing)
    period = _choose_period(context)
    return Preparation(dataset, period, thumbnail_suffix, initial_tag, own_tag)


def _choose_period(context: RunContext) -> Period:
    """Return which files to list; the same for every attempt on this machine."""
    path = context.folder.path("period.json")
    if path.exists():
        return Period(*json.loads(path.read_text()))
    from_s = 0
    if context.options.use_datapool and not context.options.process_all:
        processed_s = context.client.get_processed_until_timestamp()
        from_s = processed_s + 1 if processed_s else 0
    period = Period(from_s, max(from_s, int(time.time())))
    write_atomic(path, json.dumps([period.from_s, period.to_s]).encode())
    return period


def _check_rights(context: RunContext, *, needs_writing: bool) -> None:
    permissions = context.client.list_datasource_permissions()
    errors = permissions.get("errors")
    for right, purpose in _RIGHTS.items():
        if permissions.get(right) or (right == "can_write" and not needs_writing):
            continue
        reason = errors.get(right, "") if isinstance(errors, dict) else ""
        raise RunRefused(
            f"The datasource does not let the worker {purpose}. {reason} Mend it, or set "
            "worker_config.datasource.bypass_verify to true to try all the same."
        )


def _read_thumbnail_suffix(context: RunContext) -> str | None:
    """Return how thumbnails are named: the first datasource that says so, written side first."""
    found = [source.get("thumbSuffix") for source in context.datasources.values()]
    return next((suffix for suffix in found if suffix), None)
