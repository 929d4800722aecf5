"""Artifacts that lie in the user's own datasource, below `.lightly/runs/`."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.datasources.models import LIGHTLY_FOLDER, Side
from lightly.server.datasources.opening import open_store
from lightly.server.datasources.service import find_for_side
from lightly.server.datasources.stores import FileStore, Method
from lightly.server.errors import ArtifactNotUploaded, DatasourceUnknown
from lightly.server.platform import PlatformState
from lightly.server.runs.models import Artifact, Run


def make_name(run: Run, artifact: Artifact) -> str:
    """Return the name of an artifact in the datasource."""
    return f"{LIGHTLY_FOLDER}runs/{run.id}/{artifact.attempt}/{artifact.file_name}"


def open_run_store(
    platform: PlatformState, connection: sa.Connection, caller: User, run: Run, action: Action
) -> FileStore:
    """Return the writable side of the datasource of a run's dataset.

    Raises:
        DatasourceUnknown: If there is none.
    """
    if run.dataset_id is None:
        raise DatasourceUnknown("The run works on no dataset, so it has no datasource either.")
    dataset = load_dataset(connection, caller, run.dataset_id, action)
    datasource = find_for_side(connection, dataset, Side.LIGHTLY)
    return open_store(platform, dataset, datasource, Side.LIGHTLY)


def sign_in_store(platform: PlatformState, store: FileStore, name: str, method: Method) -> str:
    """Return a URL for a file of a datasource."""
    (url,) = store.sign_urls(
        [name],
        method,
        ttl_s=platform.settings.signed_url_ttl_s,
        now_s=platform.clock.now_ms() / 1000,
    )
    return url


def check_uploaded(store: FileStore, name: str) -> None:
    """Raise `ArtifactNotUploaded` unless a file is there."""
    if store.find_version(name) is None:
        raise ArtifactNotUploaded(
            "Nothing was uploaded to the write URL of this artifact. Send its bytes there first."
        )
