"""Objects in a store of one's own: a real S3 server, and the interface of Google's."""

from __future__ import annotations

import os
import uuid
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

from lightly._kit.errors import BadInput
from lightly.server.embeddings.vectors import open_vector_writer, open_vectors
from lightly.server.errors import StorageUnavailable
from lightly.server.secrets.keys import ServerKeys
from lightly.server.settings import Settings
from lightly.server.storage.local import LocalBlobStore
from lightly.server.storage.object_store import ObjectBlobStore
from lightly.server.storage.opening import open_blob_store
from tests.support.emulators import AZURE_ACCOUNT, AZURE_KEY, make_service_account
from tests.support.google_stores import PUBLIC_HOST, GoogleGate, use_google

NOW_S = 0.0
KEYS = ServerKeys(b"k" * 32)


@pytest.fixture(params=["s3", "google", "azure"])
def store(request, tmp_path):
    url = request.getfixturevalue(f"{request.param}_url")
    return ObjectBlobStore(url, tmp_path / "scratch")


@pytest.fixture
def s3_url(s3_server, monkeypatch):
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    return s3_server.make_url()


@pytest.fixture
def google_url(moto_server, tmp_path, monkeypatch):
    gate = GoogleGate(moto_server, make_service_account())
    with gate.listen() as server:
        use_google(server.url, make_service_account(), tmp_path, monkeypatch)
        yield f"gs://{gate.make_bucket()}/pre fix"


@pytest.fixture
def azure_url(azure_server, monkeypatch):
    container = f"blobs-{uuid.uuid4().hex}"
    azure_server.make_container(container)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", AZURE_ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{azure_server.endpoint}/{AZURE_ACCOUNT}")
    return f"az://{container}/prefix"


def send(method, url, **options):
    """Follow a signed URL as clients do; those of Google are for its public name."""
    options["headers"] = {"x-ms-blob-type": "BlockBlob"}
    if (host := urlsplit(url).netloc) == PUBLIC_HOST:
        options["headers"]["Host"] = host
        url = os.environ["GOOGLE_BASE_URL"] + url.partition(host)[2]
    return requests.request(method, url, timeout=30, **options)


def read(store, key):
    with store.open(key) as file:
        return file.read()


def test_what_is_put_reads_back(store):
    info = store.put("a/b", [b"one", b"two"])

    assert (info.size_bytes, read(store, "a/b")) == (6, b"onetwo")


def test_an_object_is_replaced_as_a_whole_and_its_etag_changes(store):
    first = store.put("a/b", [b"long content"])
    second = store.put("a/b", [b"short"])

    assert read(store, "a/b") == b"short"
    assert first.etag != second.etag


def test_a_write_that_breaks_off_leaves_the_old_object(store):
    store.put("a/b", [b"old"])

    with pytest.raises(ConnectionError), store.open_writer("a/b") as file:
        file.write(b"new")
        raise ConnectionError

    assert read(store, "a/b") == b"old"


def test_a_large_object_goes_in_parts_and_comes_back_the_same(store):
    content = np.random.default_rng(0).bytes(30_000_000)

    store.put("large", [content])

    assert read(store, "large") == content


def test_what_is_not_there_is_none_to_head_and_an_error_to_open(store):
    assert store.head("nothing") is None
    with pytest.raises(FileNotFoundError):
        store.open("nothing")


def test_only_keys_below_the_prefix_are_listed_and_removed(store):
    for key in ("a/1", "a/2/3", "ab/4"):
        store.put(key, [b"x"])

    listed = sorted(store.list_keys("a/"))
    store.delete_below("a/")

    assert listed == ["a/1", "a/2/3"]
    assert list(store.list_keys("a/")) == []
    assert read(store, "ab/4") == b"x"


def test_removing_what_is_not_there_is_no_error(store):
    store.delete("nothing")
    store.delete_below("nothing/")


def test_a_signed_url_writes_and_another_reads(store):
    write_url = store.sign_url("a/b-c_d.e", "PUT", ttl_s=600, now_s=NOW_S)
    read_url = store.sign_url("a/b-c_d.e", "GET", ttl_s=600, now_s=NOW_S)

    statuses = [send("PUT", write_url, data=body).status_code for body in (b"1", b"2")]

    assert set(statuses) <= {200, 201}
    assert send("GET", read_url).content == b"2"


def test_a_signed_url_is_good_for_its_method_and_object_only(store):
    store.put("a/b", [b"old"])
    url = store.sign_url("a/b", "GET", ttl_s=600, now_s=NOW_S)

    assert send("GET", url).content == b"old"
    assert send("PUT", url, data=b"new").status_code == 403
    assert send("GET", url.replace("b?", "c?")).status_code == 403
    assert read(store, "a/b") == b"old"


def test_vectors_are_mapped_from_a_copy(store):
    vectors = np.arange(12, dtype=np.float32).reshape(4, 3)
    with open_vector_writer(store, "vectors", 4, 3) as writer:
        writer.write(np.arange(4), vectors)

    assert np.array_equal(open_vectors(store, "vectors"), vectors)


def test_copies_are_gone_after_use(store, tmp_path):
    store.put("a", [b"x"])
    read(store, "a")

    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.usefixtures("s3_url")
def test_a_store_that_refuses_the_credentials_says_so_without_naming_them(
    s3_server, tmp_path, monkeypatch
):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    other = ObjectBlobStore("s3://some-bucket/prefix", tmp_path / "scratch")

    with pytest.raises(StorageUnavailable, match="refuses the server's credentials") as caught:
        other.put("a", [b"x"])

    assert "another-secret" not in str(caught.value)
    assert s3_server.endpoint not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://host/a", "s3:/bucket", "nonsense"])
def test_urls_of_other_stores_are_refused_by_name(url, tmp_path):
    with pytest.raises(BadInput, match="storage URL"):
        open_blob_store(Settings(data_dir=tmp_path, storage_url=url), KEYS, "http://server")


def test_a_folder_is_a_store_too(tmp_path):
    settings = Settings(data_dir=tmp_path, storage_url=f"file://{tmp_path}/elsewhere")

    assert isinstance(open_blob_store(settings, KEYS, "http://server"), LocalBlobStore)


def test_keys_are_listed_in_order_from_any_point_with_their_times(store):
    # The test's server sorts folders by their names alone; our keys never differ by that.
    keys = [f"a/{name}" for name in ("0/y", "0/z", "1/a", "1/b", "2", "z")]
    for key in [*keys, "b/0"]:
        store.put(key, [b"x"])
    listed = list(store.list_dated("a/", "a/"))

    assert [key for key, _ in listed] == sorted(keys)
    assert all(moment == store.head(key).modified_at_s for key, moment in listed)
    for number, key in enumerate(sorted(keys), 1):
        rest = [found for found, _ in store.list_dated("a/", key)]
        assert rest == sorted(keys)[number:]


def test_many_objects_are_looked_at_at_once(store):
    store.put("a", [b"one"])

    found = store.head_many(["a", "missing", "a"])
    assert found == [store.head("a"), None, store.head("a")]
    assert store.head_many([]) == []
