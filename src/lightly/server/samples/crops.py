"""Where crops come from."""

from __future__ import annotations

from collections.abc import Iterable

import orjson
import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.errors import CropDataInvalid, DatasetUnknown
from lightly.server.samples import repository
from lightly.server.samples.models import NewSample


def check_crops(
    connection: sa.Connection, caller: User, dataset: Dataset, new_samples: Iterable[NewSample]
) -> None:
    """Raise `CropDataInvalid` unless new crops come from samples of the dataset's parent.

    A dataset that was made without a parent takes crops of anything; their `parentId` leads nowhere
    then.
    """
    if dataset.parent_dataset_id is None:
        return
    wanted = {
        orjson.loads(new.contents.crop_json)["parentId"]
        for new in new_samples
        if new.contents.crop_json is not None
    }
    if not wanted:
        return
    try:
        parent = load_dataset(connection, caller, dataset.parent_dataset_id, Action.READ)
    except DatasetUnknown as error:
        raise CropDataInvalid(
            "cropData (body): the dataset that this one was cut from is not there any more."
        ) from error
    found = {id_ for _, id_, _ in repository.find_by_ids(connection, parent.key, wanted)}
    for parent_id in sorted(wanted - found):
        raise CropDataInvalid(
            f"cropData.parentId (body): {parent_id} is no sample of the dataset that this one was "
            "cut from."
        )
