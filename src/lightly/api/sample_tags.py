"""Seeing to it that every sample is in a tag."""

from __future__ import annotations

from datetime import datetime

from lightly.api.answers import read_count, read_list
from lightly.api.api_workflow_datasets import CREATOR
from lightly.api.client_base import make_path
from lightly.api.errors import ApiException, UnexpectedAnswer
from lightly.api.transport import Transport

_CONFLICT = 409
#: Clients that finish at the same moment make room for each other within few tries.
_MAX_TRIES = 20


def cover_all_samples(
    transport: Transport, dataset_id: str, *, image_type: str, creator: str = CREATOR
) -> None:
    """Make the initial tag, or let the tags grow to all samples; nothing if they do already.

    Several clients may finish an upload to one dataset at the same time: who comes second finds
    the work done, or does what is left of it.

    Args:
        transport: Calls the server.
        dataset_id: The dataset.
        image_type: What samples of a first upload come with: `full`, `thumbnail` or `meta`.
        creator: How the client is named in the tags.
    """
    for number in range(1, _MAX_TRIES + 1):
        dataset = transport.get(make_path("v1", "datasets", dataset_id))
        n_samples = read_count(dataset, "nSamples")
        tags = read_list(transport.get(make_path("v1", "datasets", dataset_id, "tags")))
        if n_samples == 0 or any(read_count(tag, "totSize") >= n_samples for tag in tags):
            return
        try:
            if tags:
                _upsize_tags(transport, dataset_id, number, creator)
            else:
                _create_initial_tag(transport, dataset_id, image_type, creator)
        except ApiException as error:
            if error.status != _CONFLICT:
                raise
        else:
            return
    raise UnexpectedAnswer("The server refuses every name for a tag of the new samples.")


def _create_initial_tag(
    transport: Transport, dataset_id: str, image_type: str, creator: str
) -> None:
    path = make_path("v1", "datasets", dataset_id, "tags", "initial")
    transport.post(path, {"imgType": image_type, "creator": creator}, is_repeatable=True)


def _upsize_tags(transport: Transport, dataset_id: str, number: int, creator: str) -> None:
    """Grow all tags; the new samples get a tag named after the moment."""
    name = f"{datetime.now().astimezone():%Y%m%d_%Hh%Mm%Ss}"
    name += f"_{number}" if number > 1 else ""
    path = make_path("v1", "datasets", dataset_id, "tags", "upsize")
    body = {"upsizeTagName": name, "upsizeTagCreator": creator}
    transport.post(path, body, is_repeatable=True)
