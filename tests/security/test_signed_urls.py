"""Signed URLs cover method, object and expiry; what they serve is inert. T17 and T26."""

from __future__ import annotations

import uuid
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.support.platforms import run_in_process
from tests.support.samples import make_dataset

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
HTML = b"<!doctype html><script>alert(document.domain)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@pytest.fixture(scope="module")
def lasting_server(tmp_path_factory):
    with run_in_process(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def dataset(lasting_server):
    return make_dataset(lasting_server, f"birds {uuid.uuid4().hex}")


@pytest.fixture
def anonymous(lasting_server):
    """Whoever found the URL."""
    return lasting_server.anonymous_client()


@pytest.fixture
def sample_id(dataset):
    return dataset.add("a.jpg")


@pytest.fixture
def put_url(dataset, sample_id):
    return dataset.client.get(f"{dataset.path}/samples/{sample_id}/writeurls").json()["full"]


@pytest.fixture
def get_url(dataset, sample_id):
    dataset.upload(sample_id, "full", PNG)
    return dataset.client.get(f"{dataset.path}/samples/{sample_id}/readurl").json()


class ShiftedClock:
    """A clock that is off by a while."""

    def __init__(self, clock, by_s):
        self._clock = clock
        self._by_ms = 1000 * by_s

    def now_ms(self):
        return self._clock.now_ms() + self._by_ms


@pytest.fixture
def shift_clock(lasting_server):
    """A function that moves the server's clock; it is put back afterwards."""
    state = lasting_server.client.app.state
    original = state.platform

    def shift(by_s):
        state.platform = replace(original, clock=ShiftedClock(original.clock, by_s))

    yield shift
    state.platform = original


def change_query(url, **changes):
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | changes
    return parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None}))


def flip(text, position):
    other = "0" if text[position] != "0" else "1"
    return text[:position] + other + text[position:][1:]


def read_query(url):
    return dict(parse_qsl(urlsplit(url).query))


QUERY_CHANGES = {
    "later expiry": {"expires": "4102444800"},
    "expiry of more digits": {"expires": "9" * 13},
    "expiry beyond all numbers": {"expires": "9" * 5000},
    "no expiry": {"expires": None},
    "empty expiry": {"expires": ""},
    "negative expiry": {"expires": "-1"},
    "expiry in words": {"expires": "never"},
    "expiry in other digits": {"expires": "٤١٠٢٤٤٤٨٠٠"},
    "no signature": {"signature": None},
    "empty signature": {"signature": ""},
    "a signature of zeros": {"signature": "0" * 64},
    "a signature that is no ASCII": {"signature": "é" * 64},
    "neither expiry nor signature": {"expires": "", "signature": ""},
    "many digits and no signature": {"expires": "9" * 13, "signature": ""},
    "no method": {"method": None},
    "another method": {"method": "DELETE"},
    "method in another case": {"method": "get"},
}


@pytest.mark.parametrize("changes", QUERY_CHANGES.values(), ids=QUERY_CHANGES)
def test_a_changed_url_is_refused(dataset, sample_id, anonymous, put_url, get_url, changes):
    read = anonymous.get(str(change_query(get_url, **changes).geturl()))
    written = anonymous.put(change_query(put_url, **changes).geturl(), content=b"evil")

    for response in (read, written):
        assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")
        assert PNG not in response.content
    assert anonymous.get(get_url).content == PNG


@pytest.mark.parametrize("position", [0, 31, 63])
def test_every_digit_of_the_signature_counts(anonymous, put_url, get_url, position):
    for method, url in (("GET", get_url), ("PUT", put_url)):
        signature = flip(read_query(url)["signature"], position)
        changed = change_query(url, signature=signature).geturl()
        assert anonymous.request(method, changed, content=b"evil").status_code == 403


def test_an_expiry_moved_by_a_second_is_refused(anonymous, put_url, get_url):
    for method, url in (("GET", get_url), ("PUT", put_url)):
        expires = int(read_query(url)["expires"])
        for moved in (expires - 1, expires + 1):
            changed = change_query(url, expires=str(moved)).geturl()
            assert anonymous.request(method, changed, content=b"evil").status_code == 403


def test_a_url_is_good_for_one_object_only(dataset, anonymous, sample_id, put_url, get_url):
    other_id = dataset.add("other.jpg")
    dataset.upload(other_id, "full", PNG + b"other")
    folder, _, _ = urlsplit(get_url).path.rpartition(f"{sample_id[-3:]}/{sample_id}")
    paths = [
        # another sample, its thumbnail, another dataset, the key of the server, nothing
        f"{folder}{other_id[-3:]}/{other_id}",
        urlsplit(get_url).path.replace("/full/", "/thumb/"),
        urlsplit(get_url).path.replace(dataset.id, "0" * 24),
        "/blobs/../secret-key",
        "/blobs/%2e%2e/secret-key",
        "/blobs/..%2f..%2fetc%2fpasswd",
        f"{urlsplit(get_url).path}/",
        f"{urlsplit(get_url).path}%00",
        "/blobs/",
    ]

    for path in paths:
        for method, url in (("GET", get_url), ("PUT", put_url)):
            changed = urlsplit(url)._replace(path=path).geturl()
            response = anonymous.request(method, changed, content=b"evil")
            assert response.status_code in {401, 403, 404}, path
    read = dataset.client.get(f"{dataset.path}/samples/{other_id}/readurl").json()
    assert anonymous.get(read).content == PNG + b"other"


def test_a_url_to_write_is_no_url_to_read_and_the_other_way_round(anonymous, put_url, get_url):
    assert anonymous.get(put_url).status_code == 403
    assert anonymous.put(get_url, content=b"evil").status_code == 403
    # nor with the other method's name in it
    assert anonymous.get(change_query(put_url, method="GET").geturl()).status_code == 403
    changed = change_query(get_url, method="PUT").geturl()
    assert anonymous.put(changed, content=b"evil").status_code == 403
    assert anonymous.get(get_url).content == PNG


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_do_nothing(anonymous, put_url, get_url, method):
    for url in (put_url, get_url):
        assert anonymous.request(method, url, content=b"evil").status_code in {403, 405}
    assert anonymous.get(get_url).content == PNG


def test_a_url_of_another_server_is_refused(tmp_path, anonymous, put_url):
    with run_in_process(tmp_path / "data") as other:
        key = urlsplit(put_url).path.removeprefix("/blobs/")
        now_s = other.platform.clock.now_ms() / 1000
        forged = other.platform.blobs.sign_url(key, "PUT", ttl_s=1000, now_s=now_s)

    assert anonymous.put(forged, content=b"evil").status_code == 403


def test_a_url_ends_with_its_time(lasting_server, anonymous, put_url, get_url, shift_clock):
    ttl_s = lasting_server.platform.settings.signed_url_ttl_s

    shift_clock(ttl_s - 60)
    assert anonymous.get(get_url).status_code == 200
    assert anonymous.put(put_url, content=PNG).status_code == 200
    shift_clock(ttl_s + 60)
    assert anonymous.get(get_url).status_code == 403
    assert anonymous.put(put_url, content=PNG).status_code == 403


def test_a_url_to_write_works_again_until_then(anonymous, put_url, get_url):
    for content in (PNG + b"first", PNG + b"second"):
        assert anonymous.put(put_url, content=content).status_code == 200
        assert anonymous.get(get_url).content == content


def test_headers_of_the_uploader_change_nothing(anonymous, put_url, get_url):
    headers = {
        "Content-Type": "text/html",
        "x-ms-blob-type": "BlockBlob",
        "Content-Disposition": "inline; filename=a.html",
        "X-HTTP-Method-Override": "DELETE",
    }

    assert anonymous.put(put_url, content=PNG, headers=headers).status_code == 200

    assert anonymous.get(get_url).headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (PNG, "image/png"),
        # a picture with a script behind it stays a picture
        (b"GIF89a/*" + HTML, "image/gif"),
        (b"\xff\xd8\xff\xe0" + HTML, "image/jpeg"),
        (HTML, None),
        (b"  \n" + HTML, None),
        (SVG, None),
        (b"<?xml version='1.0'?>" + SVG, None),
        (b"\xef\xbb\xbf" + HTML, None),
        (b"%PDF-1.7 alert(1)", None),
        (b"alert(1)", None),
        (b"PK\x03\x04" + HTML, None),
        (b"", None),
    ],
)
@pytest.mark.parametrize("name", ["a.jpg", "a.html", "a.svg"])
def test_what_somebody_uploaded_is_served_inertly(dataset, anonymous, name, content, content_type):
    sample_id = dataset.add(name)
    dataset.upload(sample_id, "full", content)

    response = anonymous.get(
        dataset.client.get(f"{dataset.path}/samples/{sample_id}/readurl").json()
    )

    headers = response.headers
    assert (response.status_code, response.content) == (200, content)
    assert headers["content-type"] == (content_type or "application/octet-stream")
    assert headers["content-disposition"].startswith("inline" if content_type else "attachment")
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "html" not in headers["content-disposition"]
    # old clients write the bytes to a file as they arrive
    assert "content-encoding" not in headers


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(999, 200), (1000, 200), (1001, 413)])
def test_an_upload_has_a_ceiling(tmp_path, is_chunked, size, status):
    content = PNG.ljust(size, b"x")
    with run_in_process(tmp_path / "data", max_blob_bytes=1000) as server:
        dataset = make_dataset(server)
        sample_id = dataset.add("a.jpg")
        dataset.upload(sample_id, "full", PNG)
        url = dataset.client.get(f"{dataset.path}/samples/{sample_id}/writeurls").json()["full"]

        pieces = (content[start : start + 100] for start in range(0, size, 100))
        response = server.anonymous_client().put(url, content=pieces if is_chunked else content)

        assert response.status_code == status
        read = dataset.client.get(f"{dataset.path}/samples/{sample_id}/readurl").json()
        # what was there before stays whole
        assert server.client.get(read).content == (content if status == 200 else PNG)


def test_errors_never_repeat_the_url(anonymous, put_url):
    signature = read_query(put_url)["signature"]

    response = anonymous.get(put_url)

    assert signature not in response.text
    assert "blobs" not in response.text
