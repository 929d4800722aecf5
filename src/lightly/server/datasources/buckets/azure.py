"""Containers of Azure, with the key of an account or with a SAS."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from obstore.store import AzureStore

from lightly.server.datasources.buckets.network import Network, make_retry_config, split_endpoint
from lightly.server.datasources.buckets.query_signing import encode_key
from lightly.server.datasources.buckets.raw_listing import AzureListing
from lightly.server.datasources.buckets.raw_requests import RawRequests
from lightly.server.datasources.buckets.s3 import make_root
from lightly.server.datasources.buckets.store import BucketStore, Place, SignedMethod, UrlSigner
from lightly.server.datasources.models import Datasource
from lightly.server.errors import DatasourceUnreachable
from lightly.server.settings import Settings

if TYPE_CHECKING:
    # The library has this name for type checkers only.
    from obstore.store import AzureConfig

#: The version of the service whose signatures these are.
_VERSION = "2022-11-02"
_ENDPOINT_SETTING = "LIGHTLY_SERVER_AZURE_ENDPOINT"
_LIST_TTL_S = 300
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_RIGHTS: dict[SignedMethod, str] = {"GET": "r", "HEAD": "r", "PUT": "cw", "DELETE": "d"}
_MAX_TTL_S = 7 * 24 * 3600


def open_azure_store(
    settings: Settings, datasource: Datasource, secrets: Mapping[str, str]
) -> BucketStore:
    """Return the store of an AZURE datasource.

    Raises:
        DatasourceUnreachable: If account or key have no valid form.
    """
    network = Network.open(settings)
    account, credential = secrets["accountName"].strip(), secrets["accountKey"].strip()
    if not _ACCOUNT.fullmatch(account):
        raise DatasourceUnreachable(
            "accountName: must have 3 to 24 small letters and digits. Send the name of the storage "
            "account, not its address."
        )
    endpoint = _make_endpoint(settings, account)
    container, _, path = datasource.full_path.partition("/")
    sas = find_sas(credential)
    place = Place(
        store=f"the Azure container {container!a}",
        root=make_root(path),
        url=endpoint,
        source=_ENDPOINT_SETTING if settings.azure_endpoint else "accountName",
        rights=_RIGHTS_IN_WORDS,
        write_headers={"x-ms-blob-type": "BlockBlob"},
        # A SAS opens all that it opens: nobody but the target of a redirect sees it.
        is_redirected=sas is not None,
        is_relayed=sas is not None,
    )
    url = f"{endpoint}/{quote(container, safe='-$')}"
    signer: UrlSigner
    if sas is None:
        signer = AzureUrlSigner(AzureKey(account, container, credential), url)
    else:
        signer = SasUrlSigner(url, sas)

    client = AzureStore(
        container,
        config=_make_config(account, credential, endpoint, sas),
        client_options=network.make_client_options(),
        retry_config=make_retry_config(),
    )

    def sign_listing(query: Mapping[str, str]) -> str:
        rights = sas or AzureKey(account, container, credential).sign("l", "", _LIST_TTL_S)
        return f"{url}?{urlencode(query)}&{rights}"

    requests = RawRequests(network.make_session())
    raw = AzureListing(requests, sign_listing)
    return BucketStore(client, place, signer, raw, requests, network)


def find_sas(credential: str) -> str | None:
    """Return the SAS that somebody sent as account key; None when it is a key.

    >>> find_sas("?sv=2022-11-02&sig=abc")
    'sv=2022-11-02&sig=abc'
    """
    text = credential.removeprefix("?")
    return text if re.search(r"(?:^|&)sig=", text) else None


class AzureKey:
    """Signs for one container with the key of its account.

    Args:
        account: Its name.
        container: The container.
        key: Of the account, base64.

    Raises:
        DatasourceUnreachable: If the key is no base64.
    """

    def __init__(self, account: str, container: str, key: str) -> None:
        try:
            self._key = base64.b64decode(key, validate=True)
        except (binascii.Error, ValueError):
            raise DatasourceUnreachable(
                "accountKey: is neither the key of an account nor a SAS. Copy it anew, a SAS with "
                "its leading '?'."
            ) from None
        self._resource = f"/blob/{account}/{container}"

    def sign(self, rights: str, blob: str, ttl_s: int, now_s: float | None = None) -> str:
        """Return a SAS for one blob, or for the container.

        Source: "Create a service SAS" of the Azure documentation.
        """
        start_s = time.time() if now_s is None else now_s
        expiry = dt.datetime.fromtimestamp(int(start_s) + min(ttl_s, _MAX_TTL_S), dt.UTC)
        expires = expiry.strftime("%Y-%m-%dT%H:%M:%SZ")
        resource, kind = (f"{self._resource}/{blob}", "b") if blob else (self._resource, "c")
        fields = [rights, "", expires, resource, "", "", "", _VERSION, kind, *[""] * 7]
        text = "\n".join(fields)
        digest = hmac.digest(self._key, text.encode(), hashlib.sha256)
        query = {
            "sv": _VERSION,
            "se": expires,
            "sr": kind,
            "sp": rights,
            "sig": base64.b64encode(digest).decode(),
        }
        return urlencode(query)


class AzureUrlSigner:
    """Signs URLs with the key of an account, without asking anybody; see `UrlSigner`.

    Signatures of the library are refused for names with characters that URLs encode.

    Args:
        key: The key.
        url: Of the container.
    """

    def __init__(self, key: AzureKey, url: str) -> None:
        self._key = key
        self._url = url

    def sign(
        self, keys: Sequence[str], method: SignedMethod, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL for each key; see `UrlSigner`."""
        rights = _RIGHTS[method]
        return [
            f"{self._url}/{encode_key(key)}?{self._key.sign(rights, key, ttl_s, now_s)}"
            for key in keys
        ]


class SasUrlSigner:
    """Puts the SAS of a datasource behind each address: what redirected URLs lead to.

    Args:
        url: Of the container.
        sas: What the user has sent.
    """

    def __init__(self, url: str, sas: str) -> None:
        self._url = url
        self._sas = sas

    def sign(
        self,
        keys: Sequence[str],
        method: SignedMethod,  # noqa: ARG002  a SAS allows what it allows
        *,
        ttl_s: int,  # noqa: ARG002  and ends when it ends
        now_s: float,  # noqa: ARG002
    ) -> list[str]:
        """Return a URL for each key; see `UrlSigner`."""
        return [f"{self._url}/{encode_key(key)}?{self._sas}" for key in keys]


def _make_endpoint(settings: Settings, account: str) -> str:
    if not settings.azure_endpoint:
        return f"https://{account}.blob.core.windows.net"
    endpoint = settings.azure_endpoint.rstrip("/")
    split_endpoint(endpoint, _ENDPOINT_SETTING)
    return f"{endpoint}/{account}"


def _make_config(account: str, credential: str, endpoint: str, sas: str | None) -> AzureConfig:
    """Everything that the library would else read from the variables of the server's storage."""
    config: AzureConfig = {
        "account_name": account,
        "endpoint": endpoint,
        "use_emulator": False,
        "use_fabric_endpoint": False,
        "use_azure_cli": False,
        "skip_signature": False,
        "credential_type": "access_key" if sas is None else "sas_token",
    }
    if sas is None:
        config["account_key"] = credential
    else:
        config["sas_key"] = sas
    return config


_RIGHTS_IN_WORDS = {
    "list": "'list' on the container",
    "read": "'read' on objects",
    "write": "'create' and 'write' on objects",
    "overwrite": "'write' on objects",
    "delete": "'delete' on objects",
}
