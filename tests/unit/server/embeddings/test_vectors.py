"""Vectors at rest."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightly.server.embeddings.vectors import open_vector_writer, open_vectors
from lightly.server.errors import StorageFull
from lightly.server.secrets.keys import ServerKeys
from lightly.server.storage.local import LocalBlobStore


@pytest.fixture
def blobs(tmp_path):
    return LocalBlobStore(tmp_path / "blobs", ServerKeys(b"k" * 32), "http://x")


@given(st.permutations(range(20)), st.integers(1, 20))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_lie_where_their_samples_want_them(blobs, order, step):
    vectors = np.arange(60, dtype=np.float32).reshape(20, 3)
    indices = np.array(order)

    with open_vector_writer(blobs, "v", 20, 3) as writer:
        for start in range(0, 20, step):
            piece = indices[start : start + step]
            writer.write(piece, vectors[piece])

    assert np.array_equal(open_vectors(blobs, "v"), vectors)


def test_vectors_are_read_when_they_are_used(blobs):
    with open_vector_writer(blobs, "v", 2, 2) as writer:
        writer.write(np.array([0, 1]), np.eye(2, dtype=np.float32))

    assert isinstance(open_vectors(blobs, "v"), np.memmap)


def test_a_full_disk_leaves_nothing(blobs, monkeypatch, tmp_path):
    def fail(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", fail)
    with (
        pytest.raises(StorageFull, match="disk is full"),
        open_vector_writer(blobs, "v", 2, 2) as writer,
    ):
        writer.write(np.array([0, 1]), np.eye(2, dtype=np.float32))

    assert list((tmp_path / "blobs").iterdir()) == []


def test_a_write_that_is_cut_short_goes_on(blobs, monkeypatch):
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: whole(file, data[:5], at))
    vectors = np.arange(12, dtype=np.float32).reshape(4, 3)

    with open_vector_writer(blobs, "v", 4, 3) as writer:
        writer.write(np.arange(4), vectors)

    assert np.array_equal(open_vectors(blobs, "v"), vectors)
