"""Rules of tags: reading them, making them, growing them with the dataset, deleting them.

Everything that writes holds the dataset's row until its commit, so no sample and no other tag
slips in between. Functions that take a connection work inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import sqlalchemy as sa

from lightly._kit.bitmask import (
    combine_bitmasks,
    count_bytes,
    fill_bitmask,
    fits_bitmask,
    is_subset,
)
from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.tag_create_request import TagCreateRequest
from lightly.openapi_generated.swagger_client.models.tag_creator import TagCreator
from lightly.openapi_generated.swagger_client.models.tag_upsize_request import TagUpsizeRequest
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset, update_dataset
from lightly.server.errors import (
    MalformedRequest,
    PreselectedTagNotInDataset,
    PrevTagNotInDataset,
    QueryTagNotInDataset,
    TagInitialExists,
    TagInvalid,
    TagIsInitial,
    TagMissing,
    TagNameExists,
    TagNotALeaf,
    TagUnknown,
)
from lightly.server.platform import PlatformState
from lightly.server.runs.access import check_run_id
from lightly.server.tags import repository
from lightly.server.tags.changes import append_change, read_changes
from lightly.server.tags.masks import pack, parse_mask, read_mask
from lightly.server.tags.models import INITIAL_TAG_NAME, NewTag, Tag

#: The contract has no limit, but the index over names does.
MAX_NAME_CHARACTERS = 255
#: A list of tags is read in pieces of about this many bytes of masks.
LIST_CHUNK_BYTES = 16 * 1024 * 1024
MAX_LIST_CHUNK_TAGS = 500


def load_tag(connection: sa.Connection, dataset: Dataset, tag_id: str) -> Tag:
    """Return a tag of a dataset that was loaded for the caller; the one way to a tag.

    Raises:
        TagUnknown: If the dataset has no such tag, wherever else there is one.
    """
    tag = repository.find_tag(connection, dataset.key, tag_id)
    if tag is None:
        raise TagUnknown
    return tag


def find_initial_tag(connection: sa.Connection, dataset: Dataset) -> Tag:
    """Return the tag over all samples. Raises `TagMissing` when the dataset has no tag yet."""
    tag = repository.find_tag_by_name(connection, dataset.key, INITIAL_TAG_NAME)
    if tag is None:
        raise TagMissing
    return tag


def create_tag_in(connection: sa.Connection, dataset: Dataset, new: NewTag, *, now_ms: int) -> str:
    """Make a tag and return its id.

    Args:
        connection: An open write transaction.
        dataset: Loaded with `Action.WRITE` in this transaction.
        new: The tag. Its mask may be shorter than the dataset, never longer.
        now_ms: The time.

    Raises:
        TagNameExists: If the dataset has a tag of this name.
        PrevTagNotInDataset: If the parent is no tag of the dataset; likewise
            `QueryTagNotInDataset` and `PreselectedTagNotInDataset`.
        TagInvalid: If it would hold samples that its parent does not hold.
    """
    lock_dataset(connection, dataset.key)
    check_name(connection, dataset, new.name)
    if new.prev_tag_id is None:
        raise PrevTagNotInDataset
    parent = repository.find_tag(connection, dataset.key, new.prev_tag_id)
    if parent is None:
        raise PrevTagNotInDataset
    _check_links(connection, dataset, new)
    check_against_parent(
        new.mask, parent, read_mask(parent), extends=new.preselected_tag_id == parent.id
    )
    return _insert(connection, dataset, new, parent.tot_size, now_ms)


def check_name(connection: sa.Connection, dataset: Dataset, name: str) -> None:
    """Raise unless a tag of the dataset can get this name. The dataset must be locked."""
    if len(name) > MAX_NAME_CHARACTERS:
        raise MalformedRequest(f"A tag name may have at most {MAX_NAME_CHARACTERS} characters.")
    if repository.find_tag_by_name(connection, dataset.key, name) is not None:
        raise TagNameExists


def check_against_parent(mask: bytes, parent: Tag, parent_mask: bytes, *, extends: bool) -> None:
    """Raise unless a tag with `mask` can be a child of `parent`.

    Args:
        mask: Of the child.
        parent: The parent.
        parent_mask: Its mask.
        extends: The child is a selection that started with the parent's samples and added more:
            then it holds all of them instead of nothing but them.
    """
    if not fits_bitmask(mask, parent.tot_size):
        raise TagInvalid(
            f"The bit mask names samples that the tags of the dataset do not cover: they cover "
            f"the first {parent.tot_size}. Upsize the tags first."
        )
    if is_subset(mask, parent_mask) or (extends and is_subset(parent_mask, mask)):
        return
    raise TagInvalid(
        f"The tag must be a subset of its parent '{parent.name[:80]}', but names samples that "
        "the parent does not hold. Choose another parent ('prevTagId'), such as the initial tag."
    )


def _check_links(connection: sa.Connection, dataset: Dataset, new: NewTag) -> None:
    links = {
        QueryTagNotInDataset: new.query_tag_id,
        PreselectedTagNotInDataset: new.preselected_tag_id,
    }
    wanted = {tag_id for tag_id in links.values() if tag_id is not None}
    known = repository.filter_tag_ids(connection, dataset.key, wanted)
    for error, tag_id in links.items():
        if tag_id is not None and tag_id not in known:
            raise error


def _insert(
    connection: sa.Connection, dataset: Dataset, new: NewTag, tot_size: int, now_ms: int
) -> str:
    tag = Tag(
        id=make_id(),
        dataset_key=dataset.key,
        name=new.name,
        prev_tag_id=new.prev_tag_id,
        query_tag_id=new.query_tag_id,
        preselected_tag_id=new.preselected_tag_id,
        run_id=new.run_id,
        creator=new.creator,
        tot_size=tot_size,
        changes_json=append_change(
            None, new.changes, user_id=new.user_id, creator=new.creator, now_ms=now_ms
        ),
        created_at_ms=now_ms,
        last_modified_at_ms=now_ms,
        mask=pack(new.mask),
    )
    repository.insert_tag(connection, tag)
    update_dataset(connection, dataset.key, now_ms)
    return tag.id


def get_tag(platform: PlatformState, caller: User, dataset_id: str, tag_id: str) -> Tag:
    """Return one tag."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return load_tag(connection, dataset, tag_id)


def list_tags(platform: PlatformState, caller: User, dataset_id: str) -> Iterator[Tag]:
    """Return all tags of a dataset, oldest first.

    Up to `LIST_CHUNK_BYTES` of masks are one consistent view. The others are read while the list
    is consumed; a tag that is deleted meanwhile is left out.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag_ids = repository.list_tag_ids(connection, dataset.key)
        mask_bytes = max(1, count_bytes(dataset.n_samples))
        step = min(max(1, LIST_CHUNK_BYTES // mask_bytes), MAX_LIST_CHUNK_TAGS)
        first = repository.find_tags(connection, dataset.key, tag_ids[:step])
    return chain(first, _iterate_tags(platform, dataset, tag_ids, step))


def _iterate_tags(
    platform: PlatformState, dataset: Dataset, tag_ids: list[str], step: int
) -> Iterator[Tag]:
    for start in range(step, len(tag_ids), step):
        with platform.database.read() as connection:
            piece = repository.find_tags(connection, dataset.key, tag_ids[start : start + step])
        yield from piece


def create_tag(
    platform: PlatformState, caller: User, dataset_id: str, body: TagCreateRequest
) -> str:
    """Make a tag that somebody asks for and return its id."""
    changes = read_changes(body.changes)
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        check_run_id(connection, caller, body.run_id)
        n_samples = lock_dataset(connection, dataset.key)
        _check_total(connection, dataset, body.tot_size, n_samples)
        new = NewTag(
            name=body.name,
            mask=parse_mask(body.bit_mask_data, n_samples),
            creator=(body.creator or TagCreator.UNKNOWN).value,
            user_id=caller.id,
            prev_tag_id=body.prev_tag_id,
            query_tag_id=body.query_tag_id,
            preselected_tag_id=body.preselected_tag_id,
            run_id=body.run_id,
            changes=changes,
        )
        return create_tag_in(connection, dataset, new, now_ms=platform.clock.now_ms())


def _check_total(
    connection: sa.Connection, dataset: Dataset, tot_size: int, n_samples: int
) -> None:
    """Refuse a total that is neither that of the tags nor that of the samples.

    Between adding samples and the upsize the two differ, and clients count the samples.
    """
    if tot_size not in {n_samples, repository.find_tot_size(connection, dataset.key)}:
        raise TagInvalid(f"'totSize' must be {n_samples}, the dataset's size, got {tot_size}.")


def create_initial_tag(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    *,
    img_type: str | None,
    creator: str,
    run_id: str | None = None,
) -> str:
    """Make the tag over all samples and return its id.

    Args:
        platform: The server.
        caller: Who asks.
        dataset_id: The dataset.
        img_type: Which pixels the samples came with; None leaves the dataset's as it is.
        creator: Which kind of client asks.
        run_id: The compute run that asks.

    Raises:
        TagInitialExists: If the dataset has it already.
    """
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        check_run_id(connection, caller, run_id)
        n_samples = lock_dataset(connection, dataset.key)
        if repository.find_tag_by_name(connection, dataset.key, INITIAL_TAG_NAME) is not None:
            raise TagInitialExists
        new = NewTag(
            name=INITIAL_TAG_NAME,
            mask=fill_bitmask(n_samples),
            creator=creator,
            user_id=caller.id,
            run_id=run_id,
            changes={"initial": {} if run_id is None else {"runId": run_id}},
        )
        if img_type is not None:
            update_dataset(connection, dataset.key, now_ms, img_type=img_type)
        return _insert(connection, dataset, new, n_samples, now_ms)


def upsize_tags(
    platform: PlatformState, caller: User, dataset_id: str, body: TagUpsizeRequest
) -> str:
    """Let all tags cover the samples added since; return the id of a new tag that holds them."""
    now_ms = platform.clock.now_ms()
    creator = body.upsize_tag_creator.value
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        check_run_id(connection, caller, body.run_id)
        n_samples = lock_dataset(connection, dataset.key)
        initial = find_initial_tag(connection, dataset)
        every_sample = fill_bitmask(n_samples)
        changes = _describe_upsize(initial.tot_size, n_samples, body.run_id)
        repository.resize_tags(connection, dataset.key, n_samples)
        repository.update_tag(
            connection,
            initial,
            now_ms,
            mask=pack(every_sample),
            changes_json=append_change(
                initial.changes_json, changes, user_id=caller.id, creator=creator, now_ms=now_ms
            ),
        )
        new = NewTag(
            name=body.upsize_tag_name,
            mask=combine_bitmasks(every_sample, read_mask(initial), "DIFFERENCE"),
            creator=creator,
            user_id=caller.id,
            prev_tag_id=initial.id,
            run_id=body.run_id,
            changes=changes,
        )
        return create_tag_in(connection, dataset, new, now_ms=now_ms)


def _describe_upsize(before: int, after: int, run_id: str | None) -> dict[str, object]:
    upsize: dict[str, object] = {"from": before, "to": after}
    return {"upsize": upsize if run_id is None else upsize | {"runId": run_id}}


def delete_tag(platform: PlatformState, caller: User, dataset_id: str, tag_id: str) -> None:
    """Remove a tag and its scores.

    Raises:
        TagIsInitial: If it is the tag over all samples.
        TagNotALeaf: If another tag refers to it.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        lock_dataset(connection, dataset.key)
        tag = load_tag(connection, dataset, tag_id)
        if tag.prev_tag_id is None:
            raise TagIsInitial
        if repository.is_referred_to(connection, tag):
            raise TagNotALeaf
        repository.note_scores_of(connection, tag)
        repository.delete_tag(connection, tag)
        update_dataset(connection, dataset.key, platform.clock.now_ms())
