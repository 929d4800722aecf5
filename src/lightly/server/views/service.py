"""Rules of saved views: whoever may read the dataset may open them, their makers change them."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset
from lightly.server.errors import BadRequest, Conflict, DatasetUnknown, Forbidden, NotFound
from lightly.server.platform import PlatformState
from lightly.server.views import repository
from lightly.server.views.models import SavedView
from lightly.server.views.requests import ViewCreateRequest, ViewUpdateRequest

#: Named views of one user per dataset; lists of them are answered as a whole.
MAX_NAMED = 500
#: Short links of one user per dataset; a new one takes the place of the oldest.
MAX_UNNAMED = 1_000

#: The dataset of a view that there is none of: it takes as long to refuse as that of somebody else.
_NOWHERE = "0" * 24


class ViewUnknown(NotFound):
    """The view does not exist, or its dataset is not yours."""


def load_view(connection: sa.Connection, dataset: Dataset, view_id: str) -> SavedView:
    """Return a view of a dataset that was loaded for the caller; the one way to a view."""
    view = repository.find_view(connection, dataset.key, view_id)
    if view is None:
        raise ViewUnknown
    return view


def list_views(platform: PlatformState, caller: User, dataset_id: str) -> list[SavedView]:
    """Return the named views of a dataset, of everybody, oldest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return repository.list_named(connection, dataset.key)


def get_view(platform: PlatformState, caller: User, view_id: str) -> tuple[str, SavedView]:
    """Return a view with the id of its dataset.

    Raises:
        ViewUnknown: If there is none, or the caller may not read its dataset.
    """
    with platform.database.read() as connection:
        dataset_id = repository.find_dataset_id(connection, view_id) or _NOWHERE
        try:
            dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        except DatasetUnknown as error:
            raise ViewUnknown from error
        return dataset_id, load_view(connection, dataset, view_id)


def create_view(
    platform: PlatformState, caller: User, dataset_id: str, body: ViewCreateRequest
) -> str:
    """Save a view and return its id; the same short link again has the same id.

    Raises:
        Conflict: If the caller has another view of this name.
        BadRequest: If the caller has too many.
    """
    is_named = body.name is not None
    label = body.name or hashlib.sha256(body.query.encode()).hexdigest()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        lock_dataset(connection, dataset.key)
        same = repository.find_same(connection, dataset.key, caller.id, label, is_named=is_named)
        if same is not None and same.query == body.query:
            return same.id
        if same is not None:
            raise _name_exists(label)
        _make_room(connection, dataset, caller, is_named=is_named)
        view = SavedView(
            id=make_id(),
            dataset_key=dataset.key,
            user_id=caller.id,
            label=label,
            is_named=is_named,
            query=body.query,
            created_at_ms=platform.clock.now_ms(),
        )
        repository.insert_view(connection, view)
    return view.id


def _make_room(
    connection: sa.Connection, dataset: Dataset, caller: User, *, is_named: bool
) -> None:
    count = repository.count_views(connection, dataset.key, caller.id, is_named=is_named)
    if is_named and count >= MAX_NAMED:
        raise BadRequest(f"You have {MAX_NAMED} saved views of this dataset. Delete some first.")
    if not is_named and count >= MAX_UNNAMED:
        repository.delete_oldest(connection, dataset.key, caller.id)


def _name_exists(name: str) -> Conflict:
    return Conflict(f"You have another view with the name '{name[:80]}'. Choose another name.")


def update_view(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    view_id: str,
    body: ViewUpdateRequest,
) -> None:
    """Change name or query of a view; a short link becomes a view with a name so.

    Raises:
        Forbidden: If somebody else saved it.
        Conflict: If the caller has another view of the new name.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        lock_dataset(connection, dataset.key)
        view = _load_own(connection, dataset, caller, view_id)
        values: dict[str, object] = {}
        if body.query is not None:
            if not view.is_named and body.name is None:
                raise BadRequest("A view without a name always shows the same. Give it a name.")
            values["query"] = body.query
        if body.name is not None:
            same = repository.find_same(
                connection, dataset.key, view.user_id, body.name, is_named=True
            )
            if same is not None and same.id != view.id:
                raise _name_exists(body.name)
            values |= {"label": body.name, "is_named": True}
        if values:
            repository.update_view(connection, view.id, **values)


def delete_view(platform: PlatformState, caller: User, dataset_id: str, view_id: str) -> None:
    """Remove a view. Raises `Forbidden` if somebody else saved it."""
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        view = _load_own(connection, dataset, caller, view_id)
        repository.delete_view(connection, view.id)


def _load_own(connection: sa.Connection, dataset: Dataset, caller: User, view_id: str) -> SavedView:
    view = load_view(connection, dataset, view_id)
    if caller.id not in {view.user_id, dataset.user_id}:
        raise Forbidden("Only who saved a view, and the owner of the dataset, may change it.")
    return view
