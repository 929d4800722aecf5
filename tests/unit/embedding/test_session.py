from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from lightly.embedding.registry import SHIPPED_MODEL, UnusableModel, register_model
from lightly.embedding.session import EmbeddingSession, prepare_input
from lightly.embedding.vectors import normalize_vectors
from lightly.media.model_input import crop_for_model, load_model_pixels
from tests.support.tiny_onnx import write_mean_colour_model


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    """Two real photographs: a Chinese palace and a flower."""
    return load_sample_images().images


@pytest.fixture(scope="module")
def session() -> EmbeddingSession:
    return EmbeddingSession(SHIPPED_MODEL)


def random_batch(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 224, 224, 3), np.uint8)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_the_shipped_model_gives_1280_finite_numbers(session):
    vectors = session.run(random_batch(3))

    assert vectors.shape == (3, 1280)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()


def test_a_vector_does_not_depend_on_what_else_is_in_the_batch(session):
    batch = random_batch(8)

    together = session.run(batch)

    apart = [session.run(batch[n : n + k]) for n, k in ((0, 1), (1, 3), (4, 4))]
    assert np.array_equal(together, np.concatenate(apart))


def test_the_shipped_model_knows_a_palace(photos):
    concepts = json.loads((SHIPPED_MODEL.path.parent / "imagenet1k_concepts.json").read_text())
    model = ort.InferenceSession(str(SHIPPED_MODEL.path), providers=["CPUExecutionProvider"])
    pixels = crop_for_model(photos[0], SHIPPED_MODEL.rule)

    (logits,) = model.run(["logits"], {"images": pixels[None]})

    best = concepts["classes"][int(logits.argmax())]
    assert "palace" in json.dumps(best)


def test_decoding_jpegs_at_a_smaller_scale_keeps_the_vector(photos, session):
    full, scaled = [], []
    for photo in photos:
        large = Image.fromarray(photo).resize((1280, 854), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        large.save(buffer, "JPEG", quality=90)
        scaled.append(load_model_pixels(buffer.getvalue(), SHIPPED_MODEL.rule))
        full.append(crop_for_model(np.asarray(Image.open(buffer)), SHIPPED_MODEL.rule))

    pairs = zip(session.run(np.stack(full)), session.run(np.stack(scaled)), strict=True)

    assert min(cosine(a, b) for a, b in pairs) > 0.98


def test_a_changed_file_is_not_run(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(SHIPPED_MODEL.path.read_bytes() + b"\0")

    with pytest.raises(UnusableModel, match="was changed"):
        EmbeddingSession(replace(SHIPPED_MODEL, path=path))


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(UnusableModel, match="cannot be read"):
        EmbeddingSession(replace(SHIPPED_MODEL, path=tmp_path / "none.onnx"))


@pytest.mark.parametrize("layout", ["float", "float16"])
def test_float_models_get_normalised_channels_first(tmp_path, layout):
    mean, std = (0.5, 0.25, 0.0), (0.5, 0.25, 1.0)
    source = write_mean_colour_model(tmp_path / "a.onnx", layout=layout)
    model = register_model(source, mean=mean, std=std)
    pixels = np.zeros((2, 8, 8, 3), np.uint8)
    pixels[1] = 255

    vectors = EmbeddingSession(model).run(pixels)

    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(np.array([[-1, -1, 0], [1, 3, 1]]), abs=1e-3)


def test_raw_pixels_go_to_the_graph_uncopied():
    pixels = random_batch(1)

    assert prepare_input(pixels, SHIPPED_MODEL) is pixels


def test_a_graph_for_one_image_runs_batches(tmp_path):
    model = register_model(write_mean_colour_model(tmp_path / "a.onnx", batch=1))
    pixels = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)

    assert EmbeddingSession(model).run(pixels)[:, 0].tolist() == [0, 1, 2]


def test_normalised_vectors_have_length_1_and_zeros_stay():
    vectors = np.array([[3, 4], [0, 0], [1e-30, 0]], np.float32)

    normalised = normalize_vectors(vectors)

    assert normalised == pytest.approx(np.array([[0.6, 0.8], [0, 0], [1, 0]]), rel=1e-6)
    assert normalised.dtype == np.float32
