from __future__ import annotations

import pytest

from lightly.embedding.registry import MODELS_FOLDER_VARIABLE, EmbeddingModel, register_model
from tests.support.tiny_onnx import write_mean_colour_model


@pytest.fixture(autouse=True)
def models_folder(tmp_path, monkeypatch):
    """Keep the tests away from the models of whoever runs them."""
    folder = tmp_path / "models"
    monkeypatch.setenv(MODELS_FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture
def tiny_model(tmp_path) -> EmbeddingModel:
    """A model whose vector is the mean colour, 0 to 255."""
    return register_model(write_mean_colour_model(tmp_path / "mean-colour.onnx"))
