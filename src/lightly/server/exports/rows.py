"""What each labelling tool calls the parts of a sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from lightly.server.exports.service import Export
from lightly.server.samples.listing import write_sample
from lightly.server.samples.models import Sample

Pieces = Iterator[list[dict[str, Any]]]


def write_label_studio_tasks(export: Export) -> Pieces:
    """Yield Label Studio tasks; an id is the sample's index, so it is the same in every export."""

    def write(sample: Sample) -> dict[str, Any]:
        data: dict[str, Any] = {
            "image": export.make_url(sample.id),
            "lightlyFileName": export.make_name(sample),
        }
        if export.options.has_metadata:
            data["lightlyMetaInfo"] = write_sample(export.dataset, sample)
        return {"id": sample.idx, "data": data}

    return ([write(sample) for sample in piece] for piece in export.iterate_samples())


def write_sama_tasks(export: Export) -> Pieces:
    """Yield Sama tasks, whose values are texts and numbers only."""

    def write(sample: Sample) -> dict[str, Any]:
        url = export.make_url(sample.id)
        data: dict[str, Any] = {
            "id": sample.idx,
            "url": url,
            "image": url,
            "lightlyFileName": export.make_name(sample),
        }
        if export.options.has_metadata:
            info = orjson.dumps(write_sample(export.dataset, sample))
            data["lightlyMetaInfo"] = info.decode()
        return {"data": data}

    return ([write(sample) for sample in piece] for piece in export.iterate_samples())


def write_label_box_rows(export: Export) -> Pieces:
    """Yield rows of Labelbox before its version 4."""
    return (
        [
            {"externalId": export.make_name(sample), "imageUrl": export.make_url(sample.id)}
            for sample in piece
        ]
        for piece in export.iterate_identities()
    )


def write_label_box_v4_rows(export: Export) -> Pieces:
    """Yield rows of Labelbox 4."""
    return (
        [
            {
                "row_data": export.make_url(sample.id),
                "global_key": export.make_name(sample),
                "media_type": "IMAGE",
            }
            for sample in piece
        ]
        for piece in export.iterate_identities()
    )


def write_read_urls(export: Export) -> Pieces:
    """Yield file names with the URLs of their images."""
    return (
        [{"fileName": one.file_name, "readUrl": export.make_url(one.id)} for one in piece]
        for piece in export.iterate_identities()
    )


def write_names(export: Export) -> Iterator[list[str]]:
    """Yield what stands for the samples' names."""
    return ([export.make_name(sample) for sample in piece] for piece in export.iterate_identities())
