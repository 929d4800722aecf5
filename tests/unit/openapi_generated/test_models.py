"""How strict the wire models are and what they write."""

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lightly.openapi_generated.swagger_client.models import (
    ConfigurationEntry,
    DatasetData,
    DatasetEmbeddingData,
    DatasetType,
    DatasourceConfig,
    DatasourceConfigLOCAL,
    DockerWorkerConfigV3LightlyTrainer,
    PredictionSingletonObjectDetection,
    PredictionTaskSchema,
    S3Region,
    SampleCreateRequest,
    SelectionConfigEntryInput,
    TagArithmeticsResponse,
    TagBitMaskResponse,
    TagChangeData,
    TagData,
)

ID = "65f0c0ffee65f0c0ffee1234"
TAG = {
    "id": ID,
    "datasetId": ID,
    "prevTagId": None,
    "name": "initial-tag",
    "bitMaskData": "0x59",
    "totSize": 10,
    "createdAt": 0,
}
DATASET = {
    "id": ID,
    "name": "street scenes",
    "userId": "user",
    "type": "Images",
    "nSamples": 0,
    "sizeInBytes": 0,
    "createdAt": 1,
    "lastModifiedAt": 1,
}
BOX = {
    "type": "OBJECT_DETECTION",
    "taskName": "cars",
    "categoryId": 0,
    "score": 1,
    "bbox": [0, 1.5, 2, 3],
}
LOCAL = {"type": "LOCAL", "purpose": "INPUT_OUTPUT", "fullPath": "photos"}


def broken_rules(model: type[Any], obj: object) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        model.from_dict(obj)
    return [(error["loc"], error["type"]) for error in caught.value.errors()]


def test_attributes_are_snake_case():
    assert TagData.from_dict(TAG).bit_mask_data == "0x59"


def test_constructor_takes_attribute_names():
    tag = TagData(
        id=ID,
        dataset_id=ID,
        prev_tag_id=None,
        name="initial-tag",
        bit_mask_data="0x59",
        tot_size=10,
        created_at=0,
    )

    assert tag.to_dict(by_alias=True) == TAG


def test_wire_takes_wire_names_only():
    obj = {**TAG, "dataset_id": ID}
    del obj["datasetId"]

    assert broken_rules(TagData, obj) == [
        (("datasetId",), "missing"),
        (("dataset_id",), "extra_forbidden"),
    ]


def test_unknown_key_is_refused():
    assert broken_rules(TagData, {**TAG, "owner": "me"}) == [(("owner",), "extra_forbidden")]


def test_unknown_keys_can_be_ignored_at_every_depth():
    sample = SampleCreateRequest.from_dict(
        {
            "fileName": "a.jpg",
            "colour": "red",
            "metaData": {"sharpness": 1.5, "is_corrupted": False},
            "customMetaData": {"weather": {"temperature": None}},
        },
        ignore_unknown=True,
    )

    assert sample.to_dict(by_alias=True) == {
        "fileName": "a.jpg",
        "metaData": {"sharpness": 1.5},
        "customMetaData": {"weather": {"temperature": None}},
    }


def test_ignoring_unknown_keys_does_not_loosen_the_rules_of_known_ones():
    with pytest.raises(ValidationError, match="totSize"):
        TagData.from_dict({**TAG, "totSize": "10"}, ignore_unknown=True)


def test_open_object_keeps_unknown_keys():
    assert TagChangeData.from_dict({"future": {"a": 1}}).to_dict(by_alias=True) == {
        "future": {"a": 1}
    }


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("totSize", 10.0, "int_type"),
        ("totSize", "10", "int_type"),
        ("totSize", True, "int_type"),
        ("totSize", None, "int_type"),
        ("createdAt", -1, "greater_than_equal"),
        ("name", 12345, "string_type"),
        ("name", "ab", "string_too_short"),
        ("name", "a/b/c", "string_pattern_mismatch"),
        # a pattern covers all of the text, a final newline included
        ("name", "initial-tag\n", "string_pattern_mismatch"),
        ("bitMaskData", "0xF", "string_pattern_mismatch"),
        ("id", ID.upper(), "string_pattern_mismatch"),
        ("changes", {}, "list_type"),
    ],
)
def test_value_that_breaks_the_contract_is_refused(key, value, rule):
    assert broken_rules(TagData, {**TAG, key: value}) == [((key,), rule)]


def test_boolean_is_not_read_from_text():
    embedding = {"id": ID, "name": "default", "isProcessed": "true", "createdAt": 1}

    assert broken_rules(DatasetEmbeddingData, embedding) == [(("isProcessed",), "bool_type")]


@given(st.one_of(st.integers(0, 1), st.floats(0, 1)))
def test_number_is_kept_as_given(score):
    read = PredictionSingletonObjectDetection.from_dict({**BOX, "score": score}).score

    assert (read, type(read)) == (score, type(score))


@pytest.mark.parametrize(
    "score", [float("nan"), float("inf"), -float("inf"), "0.5", True, 1.5, -0.1, 10**400]
)
def test_number_out_of_range_or_not_finite_is_refused(score):
    assert broken_rules(PredictionSingletonObjectDetection, {**BOX, "score": score}) == [
        (("score",), "number_type")
    ]


def test_refused_number_names_its_bounds():
    with pytest.raises(ValidationError, match="greater than or equal to 0 and less than or equal"):
        PredictionSingletonObjectDetection.from_dict({**BOX, "score": 2})


@pytest.mark.parametrize("box", [[0, 1, 2], [0, 1, 2, 3, 4]])
def test_list_of_wrong_length_is_refused(box):
    ((place, _),) = broken_rules(PredictionSingletonObjectDetection, {**BOX, "bbox": box})

    assert place == ("bbox",)


def test_item_given_twice_is_refused_where_items_are_unique():
    entry = {"type": "PREDICTIONS", "categories": ["car", "car"]}

    assert broken_rules(SelectionConfigEntryInput, entry) == [(("categories",), "unique_items")]


@pytest.mark.parametrize("precision", [16.0, "16", True, 17])
def test_integer_enum_takes_its_integers_only(precision):
    assert DockerWorkerConfigV3LightlyTrainer.from_dict({"precision": 16}).precision == 16
    ((place, _),) = broken_rules(DockerWorkerConfigV3LightlyTrainer, {"precision": precision})

    assert place == ("precision",)


def test_optional_field_takes_null_and_leaves_it_off_the_wire():
    assert TagData.from_dict({**TAG, "runId": None}).to_dict(by_alias=True) == TAG


def test_required_field_that_may_be_null_may_be_missing_and_is_always_written():
    entry = {"name": "weather", "path": "weather", "valueDataType": "CATEGORICAL_STRING"}

    assert ConfigurationEntry.from_dict(entry).to_dict(by_alias=True) == {
        **entry,
        "defaultValue": None,
    }


def test_null_inside_free_form_objects_is_kept():
    sample = {"fileName": "a.jpg", "customMetaData": {"speed": None}, "exif": {"a": [None]}}

    assert SampleCreateRequest.from_dict(sample).to_dict(by_alias=True) == sample


def test_enum_member_is_its_text():
    dataset = DatasetData.from_dict(DATASET)

    assert dataset.type is DatasetType.IMAGES
    assert dataset.type == "Images"
    assert f"{dataset.type}" == "Images"


def test_older_enum_member_name_is_the_same_member():
    assert S3Region.US_EAST_1 is S3Region.US_MINUS_EAST_MINUS_1


def test_unknown_enum_value_is_refused():
    assert broken_rules(DatasetData, {**DATASET, "type": "images"}) == [(("type",), "enum")]


def test_assignment_is_checked():
    tag = TagData.from_dict(TAG)

    with pytest.raises(ValidationError, match="bit_mask_data"):
        tag.bit_mask_data = "0xF"


def test_union_is_picked_by_its_discriminator():
    config = DatasourceConfig.from_dict(LOCAL)

    assert isinstance(config.actual_instance, DatasourceConfigLOCAL)
    assert config.to_dict(by_alias=True) == LOCAL


def test_union_takes_an_object():
    config = DatasourceConfig(DatasourceConfigLOCAL.from_dict(LOCAL))

    assert config.full_path == "photos"


def test_union_with_unknown_discriminator_is_refused():
    assert broken_rules(DatasourceConfig, {**LOCAL, "type": "FTP"}) == [((), "union_tag_invalid")]


def test_union_refuses_fields_of_its_other_objects():
    assert broken_rules(DatasourceConfig, {**LOCAL, "s3Region": "us-east-1"}) == [
        (("LOCAL", "s3Region"), "extra_forbidden")
    ]


def test_one_object_can_serve_several_discriminator_values():
    schema = {"type": "CLASSIFICATION", "name": "weather", "categories": [{"id": 0, "name": "sun"}]}

    assert PredictionTaskSchema.from_dict(schema).to_dict(by_alias=True) == schema


def test_union_without_discriminator_is_picked_by_its_fields():
    answer = TagArithmeticsResponse.from_dict({"bitMaskData": "0x1"})

    assert isinstance(answer.actual_instance, TagBitMaskResponse)


def test_unknown_attribute_of_a_union_is_an_attribute_error():
    config = DatasourceConfig.from_dict(LOCAL)

    with pytest.raises(AttributeError, match="bucket"):
        _ = config.bucket


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda obj: pickle.loads(pickle.dumps(obj))])
@pytest.mark.parametrize(("model", "obj"), [(DatasourceConfig, LOCAL), (TagData, TAG)])
def test_models_can_be_copied_and_pickled(model, obj, duplicate):
    assert duplicate(model.from_dict(obj)).to_dict(by_alias=True) == obj


def test_json_text_is_read_and_written():
    text = json.dumps(TAG)

    assert json.loads(TagData.from_json(text).to_json(by_alias=True)) == TAG


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_json_text_with_a_value_that_is_no_json_is_refused_even_in_free_form_objects(value):
    with pytest.raises(ValueError, match="column"):
        SampleCreateRequest.from_json(f'{{"fileName": "a", "customMetaData": {{"a": {value}}}}}')


def test_dictionary_has_attribute_names():
    assert TagBitMaskResponse(bit_mask_data="0x1").to_dict() == {"bit_mask_data": "0x1"}


def test_json_text_has_attribute_names():
    text = TagBitMaskResponse(bit_mask_data="0x1").to_json()

    assert json.loads(text) == {"bit_mask_data": "0x1"}


def test_dictionary_of_a_union_has_attribute_names():
    config = DatasourceConfig.from_dict(LOCAL)

    assert config.to_dict()["full_path"] == "photos"
    assert config["fullPath"] == "photos"


def test_text_for_people_shows_attribute_names():
    assert TagBitMaskResponse(bit_mask_data="0x1").to_str() == "{'bit_mask_data': '0x1'}"
