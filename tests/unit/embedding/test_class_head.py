"""Tags from embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import sklearn

from lightly.embedding.class_head import MIN_SCORE, choose_tags, open_class_head
from lightly.embedding.concepts import load_vocabulary
from lightly.embedding.onnx_weights import read_weights
from lightly.embedding.registry import SHIPPED_MODEL, UnusableModel, register_model
from lightly.media.model_input import load_model_pixels
from tests.support.tiny_onnx import write_mean_colour_model

PHOTOS = Path(sklearn.__file__).parent / "datasets" / "images"


@pytest.fixture(scope="module")
def outputs() -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and logits of photos, by the whole graph."""
    names = ["china.jpg", "flower.jpg"]
    pixels = [load_model_pixels((PHOTOS / name).read_bytes(), SHIPPED_MODEL.rule) for name in names]
    session = ort.InferenceSession(str(SHIPPED_MODEL.path), providers=["CPUExecutionProvider"])
    embedding, logits = session.run(None, {SHIPPED_MODEL.input_name: np.stack(pixels)})
    return embedding, logits


def test_the_head_gives_the_probabilities_of_the_graph(outputs):
    embedding, logits = outputs
    powers = np.exp(logits.astype(np.float64))

    shares = open_class_head(SHIPPED_MODEL).classify(embedding)

    np.testing.assert_allclose(shares, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)


def test_photos_have_the_tags_that_people_would_give_them(outputs):
    shares = open_class_head(SHIPPED_MODEL).classify(outputs[0])
    names = load_vocabulary().class_names

    best = [[names[number] for number, _ in choose_tags(row)[:3]] for row in shares]

    assert "palace" in best[0]
    assert "daisy" in best[1]


def test_tags_are_the_likely_classes_in_falling_order(outputs):
    tags = choose_tags(open_class_head(SHIPPED_MODEL).classify(outputs[0])[0])
    scores = [score for _, score in tags]

    assert scores == sorted(scores, reverse=True)
    assert min(scores) >= MIN_SCORE


def test_many_vectors_are_classified_like_one(outputs):
    head = open_class_head(SHIPPED_MODEL)
    many = np.repeat(outputs[0], 800, axis=0)

    found = np.concatenate(list(head.iterate(many)))

    np.testing.assert_allclose(found, np.repeat(head.classify(outputs[0]), 800, axis=0), atol=1e-6)


def test_a_model_of_the_user_has_no_known_classes(tmp_path, monkeypatch):
    monkeypatch.setenv("LIGHTLY_MODELS_DIR", str(tmp_path / "models"))
    model = register_model(write_mean_colour_model(tmp_path / "mean.onnx"))

    with pytest.raises(UnusableModel, match="no classes that are known"):
        open_class_head(model)


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"\x3a\x05abc"])
def test_a_file_that_is_no_model_has_no_weights(tmp_path, content):
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)

    with pytest.raises(UnusableModel):
        read_weights(path, ["fc.w.h"])
