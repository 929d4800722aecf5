"""URLs of files of a datasource, and redirected ones that never expire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasources.file_requests import FileWriteUrlsRequest
from lightly.server.datasources.file_urls import make_file_url, make_file_url_base, sign_file
from lightly.server.datasources.models import LIGHTLY_FOLDER, Datasource, Side, find_side
from lightly.server.datasources.mount_store import check_file_name, check_written_name
from lightly.server.datasources.opening import open_store
from lightly.server.datasources.service import find_for_side
from lightly.server.datasources.stores import FileStore, Method
from lightly.server.errors import MalformedRequest
from lightly.server.platform import PlatformState
from lightly.server.samples.bulk_requests import parse_bulk
from lightly.server.samples.public_tokens import PublicTokenSigner, open_public_token

#: A redirect is followed at once; this is time enough to begin.
REDIRECT_TTL_S = 900


@dataclass(frozen=True)
class WriteUrls:
    """Where files go.

    Attributes:
        urls: One for each file.
        headers: That each request has to carry.
    """

    urls: list[str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class RedirectSigner:
    """Makes redirected URLs for the files of one dataset; each opens one file.

    Attributes:
        base_url: Of the redirect operation.
        tokens: Signs the public token of each URL.
    """

    base_url: str
    tokens: PublicTokenSigner

    @classmethod
    def open(cls, platform: PlatformState, caller: User, dataset_id: str) -> Self:
        """Return the signer for a caller for whom the dataset was loaded."""
        with platform.database.read() as connection:
            tokens = PublicTokenSigner.open(connection, platform.keys, caller, dataset_id)
        path = f"/v1/datasets/{dataset_id}/datasource/readurlRedirect"
        return cls(f"{platform.settings.base_url}{path}", tokens)

    def make_url(self, name: str) -> str:
        """Return a URL that leads to a file, as long as access to it lasts."""
        query = {"path": name, "publicToken": self.tokens.sign(path=name)}
        return f"{self.base_url}?{urlencode(query)}"


def make_lightly_url(
    platform: PlatformState, caller: User, dataset_id: str, folder: str, file_name: str
) -> str:
    """Return a URL to read a file below a folder of `.lightly/`, whether it exists or not."""
    name = check_file_name(f"{LIGHTLY_FOLDER}{folder}/{file_name}")
    return _make_url(platform, caller, dataset_id, name, "GET", Action.READ)


def make_head_url(platform: PlatformState, caller: User, dataset_id: str, file_name: str) -> str:
    """Return a URL that tells of a file without sending it."""
    return _make_url(platform, caller, dataset_id, check_file_name(file_name), "HEAD", Action.READ)


def make_prediction_write_url(
    platform: PlatformState, caller: User, dataset_id: str, file_name: str
) -> str:
    """Return a URL that takes the bytes of a file below the folder of predictions."""
    name = check_written_name(f"{LIGHTLY_FOLDER}predictions/{file_name}")
    return _make_url(platform, caller, dataset_id, name, "PUT", Action.WRITE)


def make_write_urls(
    platform: PlatformState, caller: User, dataset_id: str, body: bytes
) -> WriteUrls:
    """Return a URL for each file that somebody wants to write below `.lightly/`, in order.

    Args:
        platform: The server.
        caller: Who asks; may write to the dataset.
        dataset_id: The dataset.
        body: A `FileWriteUrlsRequest`.

    Raises:
        MalformedRequest: If a name breaks a rule, or does not lie below `.lightly/`.
        DatasourceUnknown: If no datasource serves the LIGHTLY side; INPUT is never written to.
        DatasourceNotWritable: If the server can only read it.
    """
    request = parse_bulk(FileWriteUrlsRequest, body, "fileNames")
    names = [_check_lightly_name(name, number) for number, name in enumerate(request.file_names)]
    # A write, though nothing is stored here: a worker that has lost its run gets no URLs any more.
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        datasource = find_for_side(connection, dataset, Side.LIGHTLY)
    store = open_store(platform, dataset, datasource, Side.LIGHTLY)
    ttl_s = platform.settings.signed_url_ttl_s
    urls = sign_urls(platform, datasource, store, names, "PUT", ttl_s)
    return WriteUrls(urls, {} if store.is_relayed else store.write_headers)


def _check_lightly_name(name: str, number: int) -> str:
    if find_side(name) is not Side.LIGHTLY:
        raise MalformedRequest(
            f"fileNames.{number} (body): must begin with '{LIGHTLY_FOLDER}'. Nothing else of a "
            "datasource is ever written."
        )
    try:
        return check_written_name(name)
    except MalformedRequest as error:
        raise MalformedRequest(f"fileNames.{number} (body): {error}") from error


def resolve_redirect(platform: PlatformState, public_token: str, dataset_id: str, path: str) -> str:
    """Return the short-lived URL that a redirected URL leads to just now.

    Raises:
        NotAuthenticated: If the public token is not, or no longer, good for this file.
    """
    now_ms = platform.clock.now_ms()
    with platform.database.read() as connection:
        user = open_public_token(
            connection, platform.keys, public_token, dataset_id, now_s=now_ms / 1000, path=path
        )
        dataset = load_dataset(connection, user, dataset_id, Action.READ)
        datasource = find_for_side(connection, dataset, find_side(path))
    store = open_store(platform, dataset, datasource, find_side(path))
    return sign_url(platform, store, path, REDIRECT_TTL_S)


def sign_url(platform: PlatformState, store: FileStore, name: str, ttl_s: int) -> str:
    """Return the store's own URL to read one file."""
    now_s = platform.clock.now_ms() / 1000
    (url,) = store.sign_urls([name], "GET", ttl_s=ttl_s, now_s=now_s)
    return url


def sign_urls(
    platform: PlatformState,
    datasource: Datasource,
    store: FileStore,
    names: Sequence[str],
    method: Method,
    ttl_s: int,
) -> list[str]:
    """Return URLs for one method: of the store, or of the server where it stands in for it."""
    now_s = platform.clock.now_ms() / 1000
    if not store.is_relayed:
        return store.sign_urls(names, method, ttl_s=ttl_s, now_s=now_s)
    base_url = make_file_url_base(platform.settings, datasource.id)
    expires_at_s = int(now_s) + ttl_s
    return [
        make_file_url(
            base_url,
            name,
            method,
            expires_at_s,
            sign_file(platform.keys, datasource, name, method, expires_at_s),
        )
        for name in names
    ]


def _make_url(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    name: str,
    method: Method,
    action: Action,
) -> str:
    side = find_side(name)
    with platform.database.read() as connection:
        dataset: Dataset = load_dataset(connection, caller, dataset_id, action)
        datasource = find_for_side(connection, dataset, side)
    store = open_store(platform, dataset, datasource, side)
    if method == "GET" and store.is_redirected:
        return RedirectSigner.open(platform, caller, dataset_id).make_url(name)
    ttl_s = platform.settings.signed_url_ttl_s
    (url,) = sign_urls(platform, datasource, store, [name], method, ttl_s)
    return url
