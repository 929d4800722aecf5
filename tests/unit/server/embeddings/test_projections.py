"""2-D embeddings: defined for every input, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.server.embeddings import projections
from lightly.server.embeddings.projections import project

#: Compiled for ten seconds in each process that asks for it.
UMAP = pytest.param("UMAP", marks=pytest.mark.xdist_group("umap"))
METHODS = ["PCA", "TSNE", UMAP]
RANDOM = np.random.default_rng(0).standard_normal((40, 8)).astype(np.float32)


def project_slowly(vectors):
    """Return the textbook PCA: singular vectors of the centred matrix."""
    centred = vectors.astype(np.float64) - vectors.astype(np.float64).mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2].T
    largest = axes[np.argmax(np.abs(axes), axis=0), [0, 1]]
    return centred @ (axes * np.sign(largest))


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_pca_is_that_of_the_textbook(offset):
    vectors = RANDOM + np.float32(offset)

    assert project(vectors, "PCA") == pytest.approx(project_slowly(vectors), abs=1e-5)


def test_pca_is_summed_up_over_pieces(monkeypatch):
    whole = project(RANDOM, "PCA")
    monkeypatch.setattr(projections, "_CHUNK_BYTES", 8 * 8 * 7)

    assert project(RANDOM, "PCA") == pytest.approx(whole, abs=1e-6)


def test_long_vectors_have_the_same_components_without_their_covariance(monkeypatch):
    expected = project(RANDOM, "PCA")
    monkeypatch.setattr(projections, "_MAX_COVARIANCE_DIMENSION", 4)

    assert project(RANDOM, "PCA") == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "vectors",
    [
        np.ones((1, 3)),
        np.array([[0, 1], [2, 3]]),
        np.arange(9).reshape(3, 3),
        np.ones((40, 3)),
        np.arange(5)[:, None],
    ],
    ids=["one", "two", "three", "equal", "one dimension"],
)
def test_the_smallest_inputs_have_a_defined_picture(method, vectors):
    coordinates = project(vectors.astype(np.float32), method)

    assert coordinates.shape == (len(vectors), 2)
    assert np.isfinite(coordinates).all()
    assert np.array_equal(coordinates, project(vectors.astype(np.float32), "PCA"))


def test_equal_vectors_are_all_at_the_origin():
    assert not project(np.full((3, 2), 7, dtype=np.float32), "PCA").any()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "vectors",
    [
        np.repeat(RANDOM[:3], 20, axis=0),
        RANDOM * np.float32(1e30),
        RANDOM * np.float32(1e-30),
        np.linspace(0, 1, 40)[:, None],
        RANDOM[:16],
    ],
    ids=["duplicates", "huge", "tiny", "one dimension", "fewest"],
)
def test_hard_inputs_have_finite_coordinates(method, vectors):
    coordinates = project(vectors.astype(np.float32), method)

    assert coordinates.shape == (len(vectors), 2)
    assert np.isfinite(coordinates).all()


@pytest.mark.parametrize("method", METHODS)
def test_the_same_vectors_give_the_same_picture(method):
    assert np.array_equal(project(RANDOM, method), project(RANDOM.copy(), method))


@pytest.mark.parametrize("method", ["TSNE", UMAP])
def test_rows_beyond_the_fitted_ones_are_placed_beside_their_neighbours(method, monkeypatch):
    generator = np.random.default_rng(0)
    centres = np.array([[0, 0, 0], [50, 0, 0], [0, 50, 0]])
    cluster = np.arange(300) % 3
    vectors = (centres[cluster] + generator.standard_normal((300, 3))).astype(np.float32)
    monkeypatch.setattr(projections, "MAX_FITTED_ROWS", 100)
    monkeypatch.setattr(projections, "_PLACED_AT_ONCE", 64)
    monkeypatch.setattr(projections, "_MAX_ANCHORS", 60)

    coordinates = project(vectors, method)

    middles = np.array([coordinates[cluster == k].mean(axis=0) for k in range(3)])
    nearest = np.linalg.norm(coordinates[:, None] - middles, axis=2).argmin(axis=1)
    assert np.array_equal(nearest, cluster)
