"""Where a worker reads from: its own server, public addresses, and what the operator has opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote

import pytest

from lightly._kit.egress import EgressPolicy, EgressRefused
from lightly.api.errors import ApiException, ConnectionFailed
from lightly.worker.errors import RunFailed
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.reading import FileReader
from lightly.worker.sources.store_transport import find_place, open_store_transport
from tests.support.http_servers import Answer, LocalServer, Request, serve

CLOSED = EgressPolicy()
OPENED = EgressPolicy.parse("127.0.0.0/8")


@pytest.fixture
def store() -> Iterator[LocalServer]:
    """A store in the network of the worker."""
    with serve(lambda _: Answer(body=b"secret of the network")) as server:
        yield server


def read(
    server: LocalServer, url: str, egress: EgressPolicy = CLOSED, public_url: str = ""
) -> bytes:
    """Read a URL as a worker of a server."""
    transport = open_store_transport(server.url, "token", server_urls=[public_url], egress=egress)
    with transport.open_blob(url) as response:
        content: bytes = response.content
    transport.close()
    return content


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """The server of the worker, on loopback."""

    def answer(request: Request) -> Answer:
        place = unquote(request.path.partition("?to=")[2])
        return Answer(302, headers={"Location": place}) if place else Answer(body=b"own file")

    with serve(answer) as running:
        yield running


def test_the_own_server_is_read_though_its_address_is_not_public(server: LocalServer) -> None:
    assert read(server, f"{server.url}/file") == b"own file"


def test_the_address_in_urls_of_the_server_is_as_good_as_that_which_the_worker_was_given(
    server: LocalServer, store: LocalServer
) -> None:
    assert read(server, f"{store.url}/file", public_url=store.url) == b"secret of the network"


def test_a_url_into_the_network_is_refused(server: LocalServer, store: LocalServer) -> None:
    with pytest.raises(EgressRefused, match="LIGHTLY_SERVER_EGRESS_ALLOW"):
        read(server, f"{store.url}/file")
    assert store.requests == []


def test_a_redirect_of_the_server_into_the_network_is_refused(
    server: LocalServer, store: LocalServer
) -> None:
    with pytest.raises(EgressRefused, match="not public"):
        read(server, f"{server.url}/file?to={store.url}/file")
    assert store.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "http://2130706433/",
        "http://[::ffff:7f00:1]/",
        "https://localhost:1/",
    ],
)
def test_no_spelling_and_no_encryption_opens_an_address(server: LocalServer, url: str) -> None:
    with pytest.raises(EgressRefused):
        read(server, f"{server.url}/file?to={url}")


def test_what_the_operator_has_opened_is_read(server: LocalServer, store: LocalServer) -> None:
    url = f"{server.url}/file?to={store.url}/file"

    assert read(server, url, OPENED) == b"secret of the network"


def test_a_store_learns_nothing_of_the_proxy_and_the_token(
    server: LocalServer, store: LocalServer
) -> None:
    read(server, f"{store.url}/file", OPENED)

    (request,) = store.requests
    assert not {"authorization", "proxy-authorization"} & {name.lower() for name in request.headers}


def test_proxies_of_the_environment_are_not_asked_for_stores(
    server: LocalServer, store: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", store.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with pytest.raises(EgressRefused):
        read(server, "http://169.254.169.254/")
    assert store.requests == []


def test_a_file_is_written_only_where_it_could_be_read(
    server: LocalServer, store: LocalServer
) -> None:
    transport = open_store_transport(server.url, "token", server_urls=[], egress=CLOSED)

    with pytest.raises(EgressRefused):
        transport.put_blob(f"{store.url}/file", b"content")
    assert store.requests == []


def test_a_refusal_ends_the_run_with_what_the_operator_can_do(
    server: LocalServer, store: LocalServer
) -> None:
    transport = open_store_transport(server.url, "token", server_urls=[], egress=CLOSED)
    reader = FileReader(transport, check=lambda: None)

    with pytest.raises(RunFailed, match=r"'a\.jpg' cannot be read.*LIGHTLY_SERVER_EGRESS_ALLOW"):
        list(reader.read([InputFile("a.jpg", f"{store.url}/a.jpg?signature=1")]))
    assert store.requests == []


def test_a_store_that_answers_like_a_refusal_is_a_store_that_refuses(
    server: LocalServer,
) -> None:
    with serve(lambda _: Answer(470)) as store:
        transport = open_store_transport(server.url, "token", server_urls=[], egress=OPENED)
        reader = FileReader(transport, check=lambda: None)

        with pytest.raises(RunFailed, match="470"):
            list(reader.read([InputFile("a.jpg", f"{store.url}/a.jpg")]))


@pytest.mark.parametrize("join", ["@", "\\@", "#@", "?@", "%00@"])
def test_a_url_that_only_looks_like_one_of_the_server_leads_nowhere_else(
    server: LocalServer, store: LocalServer, join: str
) -> None:
    place = store.url.removeprefix("http://")

    with suppress(EgressRefused, ApiException, ConnectionFailed):
        read(server, f"{server.url}{join}{place}/file")
    assert store.requests == []


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("http://host", "http://host:80/a"),
        ("https://host:443", "https://HOST/a?b"),
        ("http://[::1]:80", "http://user@[::1]/"),
    ],
)
def test_spellings_of_one_place_are_one(url: str, other: str) -> None:
    assert find_place(url) == find_place(other)


@pytest.mark.parametrize(
    "url", ["https://host:80", "http://host.example", "http://host@evil", "http://host:81", ":", "http://host:x"]
)  # fmt: skip
def test_other_places_are_others(url: str) -> None:
    assert find_place(url) != find_place("http://host")
