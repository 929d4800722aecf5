from __future__ import annotations

from dataclasses import replace

import pytest

from lightly._kit.errors import BadInput
from lightly.embedding.registry import (
    DEFAULT_MODEL_ID,
    SHIPPED_MODEL,
    UnknownModel,
    UnusableModel,
    find_model,
    list_models,
    measure_sha256,
    register_model,
)
from lightly.media.resize_rule import ResizeRule
from tests.support.tiny_onnx import (
    write_mean_colour_model,
    write_model_with_two_inputs,
    write_text_model,
)


def test_the_shipped_file_is_the_one_of_the_entry():
    assert measure_sha256(SHIPPED_MODEL.path) == SHIPPED_MODEL.sha256


def test_licences_lie_beside_the_shipped_model():
    names = {path.name for path in SHIPPED_MODEL.path.parent.iterdir()}

    assert {"LICENSE-APACHE-2.0.txt", "LICENSE-WORDNET-3.0.txt", "README.md"} <= names


def test_without_users_models_there_is_the_shipped_one():
    assert list_models() == [SHIPPED_MODEL]
    assert find_model(DEFAULT_MODEL_ID) is SHIPPED_MODEL


def test_a_model_is_found_by_its_id_after_registration(tmp_path):
    source = write_mean_colour_model(tmp_path / "My Model.onnx")

    model = register_model(source, licence="MIT")
    source.unlink()

    assert model.id == "my-model"
    assert find_model("my-model") == model
    assert list_models() == [SHIPPED_MODEL, model]
    assert (model.dim, model.input_name, model.output_name) == (3, "images", "vector")
    assert (model.layout, model.licence) == ("uint8_nhwc", "MIT")


def test_the_crop_is_7_eighths_unless_said_otherwise(tmp_path):
    source = write_mean_colour_model(tmp_path / "a.onnx", side=224)

    assert register_model(source).rule == ResizeRule(224, 256)
    assert register_model(source, short_side=224).rule == ResizeRule(224, 224)


def test_an_onnx_file_that_needs_no_settings_can_be_named_directly(tmp_path):
    source = write_mean_colour_model(tmp_path / "a.onnx")

    assert find_model(str(source)).id == "a"


def test_registering_the_same_file_twice_is_one_model(tmp_path):
    source = write_mean_colour_model(tmp_path / "a.onnx")

    assert register_model(source) == register_model(source)
    assert len(list_models()) == 2


def test_an_id_belongs_to_one_file(tmp_path):
    register_model(write_mean_colour_model(tmp_path / "a.onnx"))
    other = write_mean_colour_model(tmp_path / "b.onnx", side=16)

    with pytest.raises(BadInput, match="'a' belongs to another model"):
        register_model(other, model_id="a")


@pytest.mark.parametrize("model_id", ["../x", "A", "", "a/b", "x" * 65, ".x", DEFAULT_MODEL_ID])
def test_bad_ids_are_refused(tmp_path, models_folder, model_id):
    source = write_mean_colour_model(tmp_path / "ü.onnx")

    with pytest.raises(BadInput, match="id"):
        register_model(source, model_id=model_id)

    assert not models_folder.exists()


@pytest.mark.parametrize("name", ["nothing", "../../etc", "a/b", ""])
def test_unknown_models_are_named_with_those_that_exist(name):
    with pytest.raises(UnknownModel, match=DEFAULT_MODEL_ID):
        find_model(name)


def test_a_float_model_needs_mean_and_std(tmp_path):
    source = write_mean_colour_model(tmp_path / "a.onnx", layout="float")

    with pytest.raises(UnusableModel, match="mean and std"):
        register_model(source)

    model = register_model(source, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    assert (model.layout, model.mean) == ("float32_nchw", (0.5, 0.5, 0.5))
    assert find_model("a") == model


def test_an_open_input_size_has_to_be_said(tmp_path):
    source = write_mean_colour_model(tmp_path / "a.onnx", side="side")

    with pytest.raises(UnusableModel, match="--input-side"):
        register_model(source)

    assert register_model(source, input_side=32).rule.input_side == 32


@pytest.mark.parametrize(
    ("write", "settings", "reason"),
    [
        (write_model_with_two_inputs, {}, "one input, the image; it has: a, b"),
        (write_text_model, {}, r"it is tensor\(float\)"),
        (
            lambda path: write_mean_colour_model(path, keep_dimensions=True),
            {},
            r"No output is one finite vector per image; there are: vector \(2, 1, 1, 3\)",
        ),
        (lambda path: write_mean_colour_model(path, batch=4), {}, "batch size"),
        (write_mean_colour_model, {"input_side": 9}, "The input side of the graph is 8, not 9"),
        (write_mean_colour_model, {"output_name": "none"}, "fails on a black image"),
        (
            lambda path: write_mean_colour_model(path, layout="float"),
            {"mean": (0, 0, 0), "std": (1, 0, 1)},
            "std must be positive",
        ),
        (lambda path: path.write_bytes(b"not a model") and path, {}, "cannot load"),
        (lambda path: path, {}, "There is no file 'a.onnx'"),
    ],
)
def test_files_that_are_no_embedding_model_say_why(
    tmp_path, models_folder, write, settings, reason
):
    source = write(tmp_path / "a.onnx")

    with pytest.raises(UnusableModel, match=reason):
        register_model(source, **settings)

    assert not models_folder.exists()


def test_a_damaged_entry_is_reported(tmp_path, models_folder):
    register_model(write_mean_colour_model(tmp_path / "a.onnx"))
    (models_folder / "a" / "entry.json").write_text("{}")

    with pytest.raises(UnusableModel, match="'a' is damaged"):
        find_model("a")


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 64},
        {"rule": ResizeRule(224, 224)},
        {"output_name": "logits"},
        {"mean": (0.0, 0.0, 0.0)},
        {"layout": "float32_nchw"},
    ],
)
def test_the_digest_changes_with_all_that_changes_a_vector(change):
    assert replace(SHIPPED_MODEL, **change).digest != SHIPPED_MODEL.digest


def test_the_digest_is_not_about_names_and_places(tmp_path):
    assert replace(SHIPPED_MODEL, id="x", path=tmp_path).digest == SHIPPED_MODEL.digest


def test_the_digest_covers_the_version_of_the_pixel_code(monkeypatch):
    before = SHIPPED_MODEL.digest
    monkeypatch.setattr("lightly.embedding.registry.MODEL_INPUT_VERSION", 99)

    assert SHIPPED_MODEL.digest != before
