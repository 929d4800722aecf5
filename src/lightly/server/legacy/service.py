"""Rules of the routes of client 1.0.8: its words for what the other domains do."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from lightly.openapi_generated.swagger_client.models.image_type import ImageType
from lightly.openapi_generated.swagger_client.models.tag_creator import TagCreator
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.datasets.repository import update_dataset
from lightly.server.db.tables import tags
from lightly.server.errors import BadRequest
from lightly.server.legacy.requests import NewSampleFields
from lightly.server.platform import PlatformState
from lightly.server.samples.models import ImageKind, make_thumb_name
from lightly.server.samples.service import create_sample as register_sample
from lightly.server.samples.service import load_sample
from lightly.server.samples.urls import sign_write_url
from lightly.server.tags import service as tags_service


def list_tags(platform: PlatformState, caller: User, dataset_id: str) -> list[tuple[str, str]]:
    """Return id and name of all tags of a dataset, oldest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        query = sa.select(tags.c.id, tags.c.name).where(tags.c.dataset_key == dataset.key)
        rows = connection.execute(query.order_by(tags.c.created_at_ms, tags.c.id))
        return [(row.id, row.name) for row in rows]


def create_initial_tag(platform: PlatformState, caller: User, dataset_id: str) -> str:
    """Make the tag over all samples and return its id.

    The image type was set before, by a request of its own.
    """
    return tags_service.create_initial_tag(
        platform, caller, dataset_id, img_type=None, creator=TagCreator.USER_PIP.value
    )


def create_sample(
    platform: PlatformState, caller: User, dataset_id: str, sample: NewSampleFields
) -> str:
    """Register a sample and return its id. The same name again gets the same id."""
    content: dict[str, Any] = {"fileName": sample.file_name}
    if sample.meta is not None:
        content["metaData"] = sample.meta
    if sample.thumb_name is not None:
        content["thumbName"] = sample.thumb_name
    return register_sample(platform, caller, dataset_id, orjson.dumps(content))


def make_write_url(
    platform: PlatformState, caller: User, dataset_id: str, sample_id: str, file_name: str
) -> str:
    """Return where an image goes. Which one it is follows from its name.

    Raises:
        BadRequest: If neither the sample nor its thumbnail is called so.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        sample = load_sample(connection, dataset, sample_id)
    kinds: dict[str, ImageKind] = {
        sample.thumb_name or make_thumb_name(sample.file_name): "thumb",
        sample.file_name: "full",
    }
    if file_name not in kinds:
        raise BadRequest("'fileName' must be the name of the sample or of its thumbnail.")
    return sign_write_url(platform, dataset_id, sample_id, kinds[file_name])


def set_image_type(
    platform: PlatformState, caller: User, dataset_id: str, img_type: ImageType
) -> None:
    """Note which pixels a client has sent."""
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        now_ms = platform.clock.now_ms()
        update_dataset(connection, dataset.key, now_ms, img_type=img_type.value)
