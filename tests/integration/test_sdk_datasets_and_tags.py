"""Datasets, tags, metadata and exports through the SDK, against a real application."""

import warnings

import pytest

from lightly.api import ApiWorkflowClient
from lightly.api.api_workflow_tags import TagDoesNotExistError
from lightly.api.api_workflow_upload_metadata import InvalidCustomMetadataWarning
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.errors import ApiException
from lightly.api.sample_tags import cover_all_samples
from lightly.openapi_generated.swagger_client.models.configuration_entry import ConfigurationEntry
from lightly.openapi_generated.swagger_client.models.dataset_type import DatasetType
from tests.support.contract import ContractClient
from tests.support.platforms import TOKEN, InProcessServer
from tests.support.sdk import BridgeAdapter, make_client, make_response

NAMES = [f"sub/{number}.jpg" for number in range(10)]


@pytest.fixture
def network(sqlite_server: InProcessServer) -> BridgeAdapter:
    """The way to the server; every answer is held against the contract."""
    return BridgeAdapter(ContractClient(sqlite_server.client))


@pytest.fixture
def client(network: BridgeAdapter) -> ApiWorkflowClient:
    """A client without a dataset."""
    return make_client(network, TOKEN)


@pytest.fixture
def filled(client: ApiWorkflowClient) -> ApiWorkflowClient:
    """A client with a dataset of ten samples and its initial tag."""
    client.create_dataset("filled")
    samples = DatasetSamples(client._transport, client.dataset_id)
    samples.register([{"fileName": name} for name in NAMES])
    cover_all_samples(client._transport, client.dataset_id, image_type="meta")
    return client


def test_a_new_dataset_becomes_the_current_one(client):
    client.create_dataset("videos", DatasetType.VIDEOS)

    assert client.dataset_exists(client.dataset_id)
    assert client.dataset_type == "Videos"
    assert [dataset.name for dataset in client.get_datasets()] == ["videos"]


def test_a_dataset_that_exists_is_reused(client):
    client.create_dataset("first")
    first = client.dataset_id
    client.create_dataset("second")

    client.create_dataset("first")

    assert client.dataset_id == first
    assert len(client.get_all_datasets()) == 2


def test_reusing_a_dataset_of_another_type_warns(client):
    client.create_dataset("images")

    with pytest.warns(UserWarning, match="holds Images, not Videos"):
        client.create_dataset("images", DatasetType.VIDEOS)


def test_a_dataset_that_somebody_made_meanwhile_is_reused(client, network, sqlite_server):
    def make_first(request):
        if request.method == "POST":
            network.hook = None
            sqlite_server.client.post("/v1/datasets", json={"name": "raced"})

    network.hook = make_first

    client.create_dataset("raced")

    assert client.get_dataset_by_id(client.dataset_id).name == "raced"
    assert len(client.get_datasets()) == 1


def test_a_created_dataset_whose_answer_got_lost_is_found_again(client, network):
    def lose_answer(request):
        if request.method == "POST":
            network.hook = None
            network.forward(request)
            return make_response(502)
        return None

    network.hook = lose_answer

    client.create_dataset("lost answer")

    assert client.get_dataset_by_id(client.dataset_id).name == "lost answer"


def test_unique_names_are_counted(client):
    for _ in range(3):
        client.create_new_dataset_with_unique_name("run")

    assert sorted(dataset.name for dataset in client.get_datasets()) == ["run", "run_1", "run_2"]
    assert client.get_dataset_by_id(client.dataset_id).name == "run_2"


def test_a_name_that_the_contract_refuses_is_an_error_that_says_so(client):
    with pytest.raises(ApiException, match="name"):
        client.create_dataset("no.dots")


def test_without_a_choice_the_last_modified_dataset_is_current(client):
    client.create_dataset("older")
    client.create_dataset("newer")
    fresh = make_client(client._transport._sessions._make_adapter(), TOKEN)

    with pytest.warns(UserWarning, match="newer"):
        chosen = fresh.dataset_id

    assert chosen == client.dataset_id


def test_the_choice_of_a_current_dataset_is_warned_of_once(client):
    client.create_dataset("only")
    fresh = make_client(client._transport._sessions._make_adapter(), TOKEN)
    with pytest.warns(UserWarning, match="only"):
        _ = fresh.dataset_id

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _ = fresh.dataset_id


def test_without_any_dataset_there_is_none_to_take(client):
    with pytest.raises(ValueError, match="create_dataset"):
        _ = client.dataset_id


def test_a_dataset_is_found_by_its_exact_name(client):
    client.create_dataset("street")
    street = client.dataset_id
    client.create_dataset("street scenes")

    client.set_dataset_id_by_name("street")

    assert client.dataset_id == street


@pytest.mark.parametrize("name", ["nowhere", "nowhere/else", "", "50%"])
def test_a_name_that_nothing_has_is_a_value_error(client, name):
    with pytest.raises(ValueError, match="does not exist"):
        client.set_dataset_id_by_name(name or "x")


@pytest.mark.parametrize("dataset_id", ["0" * 24, "no id", "../datasets"])
def test_an_id_that_nothing_has_is_a_value_error(client, dataset_id):
    assert not client.dataset_exists(dataset_id)
    with pytest.raises(ValueError, match="does not exist"):
        client.dataset_id = dataset_id


def test_a_deleted_dataset_is_forgotten(client):
    client.create_dataset("short lived")
    dataset_id = client.dataset_id

    client.delete_dataset_by_id(dataset_id)

    assert not client.dataset_exists(dataset_id)
    with pytest.raises(ValueError, match="no dataset"):
        _ = client.dataset_id


def test_a_deletion_whose_answer_got_lost_is_done(client, network):
    client.create_dataset("lost answer")

    def lose_answer(request):
        network.hook = None
        network.forward(request)
        return make_response(502)

    network.hook = lose_answer

    client.delete_dataset_by_id(client.dataset_id)

    assert client.get_datasets() == []


def test_deleting_what_is_not_there_is_an_error(client):
    with pytest.raises(ApiException) as caught:
        client.delete_dataset_by_id("0" * 24)

    assert caught.value.status == 404


def test_an_embedding_of_another_dataset_is_not_kept(client):
    client.create_dataset("first")
    client.embedding_id = "0" * 24

    client.create_dataset("second")

    assert client.embedding_id is None


def test_file_names_come_in_the_order_of_the_bits(filled):
    assert filled.get_filenames() == NAMES


def test_long_lists_come_in_pages(filled, network, monkeypatch):
    monkeypatch.setattr("lightly.api.dataset_samples.MAPPING_PAGE_SIZE", 4)

    assert filled.get_filenames() == NAMES
    assert network.count("GET", "/mappings") == 3


def test_a_tag_is_made_from_file_names(filled):
    tag = filled.create_tag_from_filenames([NAMES[6], NAMES[0], NAMES[3], NAMES[4]], "four")

    assert tag.bit_mask_data == "0x59"
    assert filled.get_filenames_in_tag(tag) == [NAMES[0], NAMES[3], NAMES[4], NAMES[6]]
    assert filled.get_tag_by_name("four") == filled.get_tag_by_id(tag.id)


def test_a_tag_can_be_part_of_another(filled):
    parent = filled.create_tag_from_filenames(NAMES[:5], "half")

    child = filled.create_tag_from_filenames(NAMES[:2], "two", parent_tag_id=parent.id)

    assert child.prev_tag_id == parent.id


def test_known_file_names_spare_their_download(filled, network):
    tag = filled.get_tag_by_name("initial-tag")
    before = network.count("GET", "/mappings")

    assert filled.get_filenames_in_tag(tag, NAMES) == NAMES
    assert network.count("GET", "/mappings") == before


def test_the_initial_tag_has_no_parent_to_exclude(filled):
    tag = filled.get_tag_by_name("initial-tag")

    assert filled.get_filenames_in_tag(tag, exclude_parent_tag=True) == NAMES


def test_too_few_file_names_are_refused(filled):
    tag = filled.get_tag_by_name("initial-tag")

    with pytest.raises(ValueError, match="sample 9"):
        filled.get_filenames_in_tag(tag, NAMES[:3])


def test_names_that_are_not_in_the_dataset_are_refused(filled):
    with pytest.raises(RuntimeError, match=r"1 of 2 filenames .*'nothing.jpg'"):
        filled.create_tag_from_filenames([NAMES[0], "nothing.jpg"], "new")


def test_a_tag_name_is_used_once(filled):
    filled.create_tag_from_filenames(NAMES[:1], "mine")

    with pytest.raises(RuntimeError, match="'mine'"):
        filled.create_tag_from_filenames(NAMES[:2], "mine")


def test_a_tag_needs_samples(client):
    client.create_dataset("empty")

    with pytest.raises(RuntimeError, match="upload images first"):
        client.create_tag_from_filenames([], "new")


def test_a_tag_whose_answer_got_lost_is_found_again(filled, network):
    def lose_answer(request):
        if request.method == "POST":
            network.hook = None
            network.forward(request)
            return make_response(504)
        return None

    network.hook = lose_answer

    tag = filled.create_tag_from_filenames(NAMES[:3], "three")

    assert filled.get_filenames_in_tag(tag) == NAMES[:3]
    assert len(filled.get_all_tags()) == 2


def test_a_different_tag_of_the_same_name_is_not_taken_for_a_lost_one(filled, network):
    def let_somebody_else(request):
        if request.method == "POST":
            network.hook = None
            filled.create_tag_from_filenames(NAMES[:1], "raced")
            return make_response(504)
        return None

    network.hook = let_somebody_else

    with pytest.raises(ApiException) as caught:
        filled.create_tag_from_filenames(NAMES[:3], "raced")

    assert caught.value.code == "TAG_NAME_EXISTS"


def test_tags_are_deleted_by_id_and_by_name(filled):
    first = filled.create_tag_from_filenames(NAMES[:1], "first")
    filled.create_tag_from_filenames(NAMES[:1], "second")

    filled.delete_tag_by_id(first.id)
    filled.delete_tag_by_name("second")

    assert [tag.name for tag in filled.get_all_tags()] == ["initial-tag"]


def test_the_initial_tag_cannot_be_deleted(filled):
    with pytest.raises(ApiException) as caught:
        filled.delete_tag_by_name("initial-tag")

    assert caught.value.code == "TAG_UNDELETABLE_IS_INITIAL"


def test_a_tag_that_is_not_there_has_its_own_error(filled):
    with pytest.raises(TagDoesNotExistError, match="'nothing'"):
        filled.get_tag_by_name("nothing")


def test_several_clients_that_finish_at_once_leave_no_sample_out(filled, network):
    transport, dataset_id = filled._transport, filled.dataset_id
    DatasetSamples(transport, dataset_id).register([{"fileName": "new.jpg"}])

    def finish_first(request):
        if request.method == "POST" and "upsize" in request.path_url:
            network.hook = None
            cover_all_samples(transport, dataset_id, image_type="meta")

    network.hook = finish_first

    cover_all_samples(transport, dataset_id, image_type="meta")

    assert len(filled.get_filenames_in_tag(filled.get_tag_by_name("initial-tag"))) == 11


def test_an_initial_tag_that_somebody_made_meanwhile_is_enough(client, network):
    client.create_dataset("raced")
    transport, dataset_id = client._transport, client.dataset_id
    DatasetSamples(transport, dataset_id).register([{"fileName": "a.jpg"}])

    def finish_first(request):
        if request.method == "POST":
            network.hook = None
            cover_all_samples(transport, dataset_id, image_type="meta")

    network.hook = finish_first

    cover_all_samples(transport, dataset_id, image_type="meta")

    assert len(client.get_all_tags()) == 1


def make_metadata(*image_ids):
    """Return metadata in the documented format, for the first samples."""
    return {
        "images": [{"file_name": name, "id": number} for number, name in enumerate(NAMES)],
        "metadata": [{"image_id": image_id, "people": image_id} for image_id in image_ids],
    }


def read_metadata(client):
    """Return the custom metadata of all samples."""
    tasks = client.export_label_studio_tasks_by_tag_name("initial-tag")
    return [task["data"]["lightlyMetaInfo"].get("customMetaData") for task in tasks]


@pytest.mark.parametrize("has_bulk", [True, False])
def test_custom_metadata_reaches_its_samples(filled, network, has_bulk):
    if not has_bulk:
        network.hook = lambda request: (
            make_response(404) if request.path_url.startswith("/ext/") else None
        )

    filled.upload_custom_metadata(make_metadata(1, 3))

    found = read_metadata(filled)
    assert found[1] == {"image_id": 1, "people": 1}
    assert [number for number, value in enumerate(found) if value] == [1, 3]


def test_custom_metadata_goes_in_one_request(filled, network):
    filled.upload_custom_metadata(make_metadata(*range(10)))

    assert network.count("PUT", "customMetadata") == 1


def test_metadata_without_image_or_sample_is_left_out_with_a_warning(filled):
    metadata = make_metadata(2, 77)
    metadata["images"].append({"file_name": "elsewhere.jpg", "id": 99})
    metadata["metadata"].append({"image_id": 99})

    with pytest.warns(InvalidCustomMetadataWarning) as caught:
        filled.upload_custom_metadata(metadata)

    messages = [str(warning.message) for warning in caught]
    assert ["77" in messages[0], "elsewhere.jpg" in messages[1]] == [True, True]
    assert [number for number, value in enumerate(read_metadata(filled)) if value] == [2]


@pytest.mark.parametrize(
    "metadata",
    [
        {"images": []},
        {"metadata": []},
        {"images": [{"id": 1}], "metadata": []},
        {"images": [{"file_name": "a"}], "metadata": []},
        {"images": [], "metadata": [{"people": 1}]},
    ],
)
def test_metadata_in_another_format_is_a_key_error(filled, metadata):
    with pytest.raises(KeyError):
        filled.upload_custom_metadata(metadata)


def test_metadata_that_json_lacks_is_refused_before_anything_changes(filled):
    metadata = make_metadata(1, 2)
    metadata["metadata"][1]["people"] = float("nan")

    with pytest.raises(ValueError, match="NaN"):
        filled.upload_custom_metadata(metadata)

    assert read_metadata(filled) == [None] * 10


def test_a_metadata_configuration_is_made(filled):
    entry = ConfigurationEntry(
        name="Weather",
        path="weather",
        default_value="unknown",
        value_data_type="CATEGORICAL_STRING",
    )

    answer = filled.create_custom_metadata_config("My metadata", [entry])

    path = f"/v1/datasets/{filled.dataset_id}/configuration/metadata/{answer.id}"
    assert filled._transport.get(path)["configs"][0]["defaultValue"] == "unknown"


def test_exports_for_labelling_tools_are_dictionaries(filled):
    filled.create_tag_from_filenames(NAMES[:2], "two")

    tasks = filled.export_label_studio_tasks_by_tag_name("two")
    rows = filled.export_label_box_data_rows_by_tag_name("two")
    rows_v4 = filled.export_label_box_v4_data_rows_by_tag_name("two")

    assert [task["data"]["lightlyFileName"] for task in tasks] == NAMES[:2]
    assert [row["externalId"] for row in rows] == NAMES[:2]
    assert [set(row) for row in rows_v4] == [{"row_data", "global_key", "media_type"}] * 2


def test_file_names_are_exported_one_per_line(filled, monkeypatch):
    monkeypatch.setattr("lightly.api.api_workflow_export.PAGE_SIZE", 4)

    assert filled.export_filenames_by_tag_name("initial-tag") == "\n".join(NAMES)


def test_an_empty_tag_exports_nothing(filled):
    tag = filled.create_tag_from_filenames([], "empty")

    assert filled.export_filenames_by_tag_id(tag.id) == ""
    assert filled.export_filenames_and_read_urls_by_tag_id(tag.id) == []
    assert filled.export_label_box_data_rows_by_tag_id(tag.id) == []


def test_file_names_are_exported_with_urls(filled):
    found = filled.export_filenames_and_read_urls_by_tag_name("initial-tag")

    assert [row["fileName"] for row in found] == NAMES
    assert set(found[0]) == {"fileName", "readUrl", "datasourceUrl"}
    assert all("readurlRedirect" in row["readUrl"] for row in found)


def test_exports_of_a_tag_that_is_not_there_say_so(filled):
    with pytest.raises(TagDoesNotExistError):
        filled.export_label_box_data_rows_by_tag_name("nothing")


def test_names_of_the_oldest_clients_give_the_same(filled):
    tags = filled.get_all_tags()

    assert filled.filenames_on_server == filled.get_filenames() == NAMES
    assert filled._get_all_tags() == tags
    assert filled.tags_api.get_tags_by_dataset_id(dataset_id=filled.dataset_id) == tags


def test_a_tag_becomes_a_dictionary_with_the_names_of_its_attributes(filled):
    (tag,) = filled.get_all_tags()

    assert tag.to_dict()["bit_mask_data"] == tag.bit_mask_data
    assert type(tag).from_dict(tag.to_dict(by_alias=True)) == tag
