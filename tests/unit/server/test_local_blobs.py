"""A folder as object store."""

from __future__ import annotations

import errno
import os

import pytest

from lightly._kit.errors import BadInput
from lightly.server.errors import Forbidden, StorageFull
from lightly.server.secrets.keys import ServerKeys
from lightly.server.storage.blobs import make_sample_key, make_sample_prefix
from lightly.server.storage.local import LocalBlobStore
from lightly.server.storage.signing import check_blob_url

KEYS = ServerKeys(b"k" * 32)
FAR_FUTURE_S = 1e12


@pytest.fixture
def store(tmp_path):
    return LocalBlobStore(tmp_path / "blobs", KEYS, "http://server")


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

    def break_off():
        yield b"new"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.put("a/b", break_off())

    assert read(store, "a/b") == b"old"
    assert list(store.list_keys("a/")) == ["a/b"]


def test_a_full_disk_is_told_apart(store, monkeypatch):
    def fail(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(StorageFull):
        store.put("a/b", [b"new"])

    assert store.head("a/b") is None
    assert store.sweep(written_before_s=FAR_FUTURE_S) == 0


def test_what_a_killed_writer_left_is_swept(store, tmp_path):
    store.put("a/b", [b"kept"])
    (tmp_path / "blobs" / "a" / ".part-left").write_bytes(b"half")

    assert list(store.list_keys("a/")) == ["a/b"]
    assert store.sweep(written_before_s=0.0) == 0
    assert store.sweep(written_before_s=FAR_FUTURE_S) == 1
    assert read(store, "a/b") == b"kept"


def test_deleting_below_a_prefix_leaves_the_rest(store):
    dataset, other = "a" * 24, "b" * 24
    for owner in (dataset, other):
        store.put(make_sample_key(owner, "c" * 24, "thumb"), [b"x"])

    store.delete_below(f"datasets/{dataset}/")

    assert list(store.list_keys(make_sample_prefix(dataset, "thumb"))) == []
    assert len(list(store.list_keys(make_sample_prefix(other, "thumb")))) == 1


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x", "a\x00b", "", "C:/x"])
def test_keys_stay_below_the_root(store, key):
    with pytest.raises(BadInput):
        store.path_of(key)


def test_a_link_that_leads_outside_is_refused(store, tmp_path):
    (tmp_path / "blobs").mkdir(exist_ok=True)
    (tmp_path / "blobs" / "link").symlink_to("/etc")

    with pytest.raises(BadInput):
        store.path_of("link/passwd")


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "a/c"},
        {"method": "PUT"},
        {"expires": "2001"},
        {"expires": "-1"},
        {"expires": "1e9"},
        {"expires": "١٢٣"},
        {"expires": "9" * 400},
        {"signature": ""},
        {"signature": "é"},
    ],
)
def test_a_signature_covers_method_key_and_expiry(store, changes):
    url = store.sign_url("a/b", "GET", ttl_s=1000, now_s=1000.0)
    signature = url.rsplit("signature=", 1)[1]
    good = {"key": "a/b", "method": "GET", "expires": "2000", "signature": signature}
    check_blob_url(KEYS, **good, now_s=1500.0)

    with pytest.raises(Forbidden):
        check_blob_url(KEYS, **{**good, **changes}, now_s=1500.0)


def test_a_url_works_until_it_expires():
    signature = KEYS.sign(b"GET\n2000\na/b")

    check_blob_url(KEYS, "a/b", "GET", "2000", signature, now_s=2000.0)
    with pytest.raises(Forbidden, match="expired"):
        check_blob_url(KEYS, "a/b", "GET", "2000", signature, now_s=2000.1)


def test_keys_are_listed_in_order_from_any_point_with_their_times(store):
    keys = [f"a/{name}" for name in ("0/z", "0-", "00", "1/a", "1/b", "z")]
    for key in [*keys, "b/0"]:
        store.put(key, [b"x"])
    listed = list(store.list_dated("a/", "a/"))

    assert [key for key, _ in listed] == sorted(keys)
    assert all(moment == store.head(key).modified_at_s for key, moment in listed)
    for number, key in enumerate(sorted(keys), 1):
        rest = [found for found, _ in store.list_dated("a/", key)]
        assert rest == sorted(keys)[number:]
    assert list(store.list_dated("missing/", "missing/")) == []
