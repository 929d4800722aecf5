"""The main job through the published client 1.2.28, unmodified, against a real server."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image

from tests.support.pictures import draw_folder, write_embeddings
from tests.support.published_clients.runner import run_client_script

VERSION = "1.2.28"
COUNT = 24
pytestmark = pytest.mark.xdist_group("client-1.2.28")

UPLOAD = """
    from lightly.api import ApiWorkflowClient
    client = ApiWorkflowClient()
    client.create_dataset(arguments["name"])
    client.upload_dataset(arguments["folder"], mode=arguments["mode"], max_workers=4)
    result = {
        "id": client.dataset_id,
        "type": client.dataset_type,
        "names": client.get_filenames(),
        "tags": [tag.name for tag in client.get_all_tags()],
        "n_samples": client.get_dataset_by_id(client.dataset_id).n_samples,
        "img_type": client.get_dataset_by_id(client.dataset_id).img_type,
    }
"""


@pytest.fixture(scope="module")
def run(running_server):
    """Run a script in the client and return what it leaves in `result`."""

    def run_script(source: str, **arguments):
        return run_client_script(
            VERSION,
            source,
            server_url=running_server.url,
            token=running_server.token,
            arguments=arguments,
            timeout_s=120,
        ).result

    return run_script


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures")
    return path, draw_folder(path, COUNT)


@pytest.fixture(scope="module")
def uploaded(run, folder):
    """A dataset with full images."""
    path, _ = folder
    return run(UPLOAD, name="full pictures", folder=str(path), mode="full")


@pytest.fixture(scope="module")
def embedded(run, uploaded, tmp_path_factory):
    """The same dataset with embeddings, in an order of its own."""
    path = tmp_path_factory.mktemp("embeddings") / "embeddings.csv"
    write_embeddings(path, sorted(uploaded["names"], reverse=True))
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        client.upload_embeddings(arguments["csv"], "default")
        result = client.embedding_id
    """
    return run(script, id=uploaded["id"], csv=str(path)), path


@pytest.mark.parametrize("mode", ["full", "thumbnails", "metadata"])
def test_a_folder_is_uploaded_in_every_mode(run, folder, mode):
    path, names = folder

    result = run(UPLOAD, name=f"mode {mode}", folder=str(path), mode=mode)

    assert sorted(result["names"]) == names
    assert result["tags"] == ["initial-tag"]
    assert (result["n_samples"], result["type"]) == (COUNT, "Images")
    expected = {"full": "full", "thumbnails": "thumbnail", "metadata": "meta"}
    assert result["img_type"] == expected[mode]


def test_a_second_upload_sends_only_what_is_new_and_upsizes(run, folder, tmp_path):
    path, names = folder
    first = run(UPLOAD, name="grows", folder=str(path), mode="thumbnails")
    more = draw_folder(tmp_path, COUNT + 3, seed=1)

    second = run(UPLOAD, name="grows", folder=str(tmp_path), mode="thumbnails")

    assert second["id"] == first["id"]
    assert second["names"][:COUNT] == first["names"]
    assert sorted(second["names"]) == sorted({*names, *more})
    assert len(second["tags"]) == 2


def test_the_initial_tag_names_every_sample(run, uploaded):
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        tag = client.get_tag_by_name("initial-tag")
        result = client.get_filenames_in_tag(tag)
    """

    assert run(script, id=uploaded["id"]) == uploaded["names"]


def test_embeddings_read_back_digit_for_digit(run, uploaded, embedded, tmp_path):
    embedding_id, path = embedded
    script = """
        import urllib.request
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        url = client._embeddings_api.get_embeddings_csv_read_url_by_id(
            arguments["id"], arguments["embedding_id"])
        result = urllib.request.urlopen(url).read().decode()
    """

    text = run(script, id=uploaded["id"], embedding_id=embedding_id)

    sent = {row[0]: row[1:] for row in csv.reader(path.read_text("utf-8").splitlines())}
    received = {row[0]: row[1:] for row in csv.reader(text.splitlines())}
    assert received == sent
    assert list(received)[1:] == uploaded["names"]


def test_embeddings_are_appended_to_a_local_file(run, uploaded, embedded, tmp_path):
    embedding_id, _ = embedded
    local = tmp_path / "local.csv"
    write_embeddings(local, ["new/one.jpg", "new/two.jpg"], seed=5)
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        client.append_embeddings(arguments["csv"], arguments["embedding_id"])
    """

    run(script, id=uploaded["id"], csv=str(local), embedding_id=embedding_id)

    names = [row[0] for row in csv.reader(local.read_text("utf-8").splitlines())][1:]
    assert sorted(names) == sorted([*uploaded["names"], "new/one.jpg", "new/two.jpg"])


SELECT = """
    import numpy as np
    from lightly.active_learning.config.selection_config import SelectionConfig
    from lightly.api import ApiWorkflowClient
    from lightly.openapi_generated.swagger_client.models.sampling_method import SamplingMethod
    client = ApiWorkflowClient(dataset_id=arguments["id"], embedding_id=arguments["embedding_id"])
    if arguments.get("scores"):
        initial = client.get_tag_by_name("initial-tag")
        client.upload_scores({"uncertainty": np.array(arguments["scores"])}, initial.id)
    config = SelectionConfig(
        n_samples=arguments["n"],
        method=getattr(SamplingMethod, arguments["method"]),
        name=arguments["name"],
    )
    tag = client.selection(config)
    names = client.get_filenames_in_tag(tag)
    result = {"name": tag.name, "names": names, "prev": tag.prev_tag_id, "id": tag.id,
              "left_out": client.get_filenames_in_tag(client.get_tag_by_name("initial-tag"))}
"""


@pytest.mark.parametrize("method", ["CORESET", "RANDOM"])
def test_a_selection_makes_a_tag_of_the_asked_size(run, uploaded, embedded, method):
    result = run(
        SELECT, id=uploaded["id"], embedding_id=embedded[0], method=method, n=7, name=method
    )

    assert result["name"] == method
    assert len(result["names"]) == 7
    assert set(result["names"]) < set(uploaded["names"])


def test_a_selection_is_the_same_twice(run, uploaded, embedded):
    picks = [
        run(SELECT, id=uploaded["id"], embedding_id=embedded[0], method="CORESET", n=7, name=name)
        for name in ("first time", "second time")
    ]

    assert picks[0]["names"] == picks[1]["names"]


def test_a_second_selection_contains_the_preselected_one(run, uploaded, embedded):
    script = """
        from lightly.active_learning.config.selection_config import SelectionConfig
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"],
                                   embedding_id=arguments["embedding_id"])
        first = client.selection(SelectionConfig(n_samples=5, name="five"))
        second = client.selection(SelectionConfig(n_samples=9, name="nine"),
                                  preselected_tag_id=first.id)
        result = {
            "first": client.get_filenames_in_tag(first),
            "second": client.get_filenames_in_tag(second),
            "new": client.get_filenames_in_tag(second, exclude_parent_tag=True),
            "parent": second.prev_tag_id == first.id,
        }
    """

    result = run(script, id=uploaded["id"], embedding_id=embedded[0])

    assert (len(result["first"]), len(result["second"])) == (5, 9)
    assert set(result["first"]) < set(result["second"])
    assert set(result["new"]) == set(result["second"]) - set(result["first"])
    assert result["parent"]


def test_a_taken_tag_name_is_refused(run, uploaded, embedded):
    script = """
        from lightly.active_learning.config.selection_config import SelectionConfig
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"],
                                   embedding_id=arguments["embedding_id"])
        try:
            client.selection(SelectionConfig(n_samples=3, name="initial-tag"))
        except RuntimeError as error:
            result = str(error)
    """

    assert "initial-tag" in run(script, id=uploaded["id"], embedding_id=embedded[0])


def test_a_tag_is_downloaded(run, uploaded, folder, tmp_path):
    path, _ = folder
    chosen = uploaded["names"][:4]
    # Its threads race to make the same folder, and the loser gives up: make them beforehand.
    for name in chosen:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        client.create_tag_from_filenames(arguments["names"], "to download")
        client.download_dataset(arguments["folder"], tag_name="to download")
    """

    run(script, id=uploaded["id"], names=chosen, folder=str(tmp_path))

    files = [str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()]
    assert sorted(files) == sorted(chosen)
    for name in chosen:
        # The client encodes what it downloads anew, so pixels may differ a little.
        assert read_size(tmp_path / name) == read_size(path / name)


def read_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_metadata_and_its_configuration_are_stored(run, uploaded):
    script = """
        from lightly.api import ApiWorkflowClient
        from lightly.openapi_generated.swagger_client.models.configuration_entry import (
            ConfigurationEntry)
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        names = client.get_filenames()
        metadata = {
            "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
            "metadata": [{"image_id": i, "weather": {"temperature": i}} for i in range(len(names))],
        }
        client.upload_custom_metadata(metadata)
        entry = ConfigurationEntry(name="Temperature", path="weather.temperature",
                                   default_value=0, value_data_type="NUMERIC_INT")
        client.create_custom_metadata_config("mine", [entry])
        samples = client._samples_api.get_samples_by_dataset_id(client.dataset_id)
        result = [sample.custom_meta_data["weather"]["temperature"] for sample in samples]
    """

    assert run(script, id=uploaded["id"]) == list(range(COUNT))


def test_tags_and_datasets_are_deleted(run, folder):
    path, _ = folder
    result = run(UPLOAD, name="to delete", folder=str(path), mode="metadata")
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        client.create_tag_from_filenames(client.get_filenames()[:2], "short lived")
        client.delete_tag_by_id(client.get_tag_by_name("short lived").id)
        tags = [tag.name for tag in client.get_all_tags()]
        client.delete_dataset_by_id(arguments["id"])
        result = {"tags": tags, "exists": client.dataset_exists(arguments["id"])}
    """

    assert run(script, id=result["id"]) == {"tags": ["initial-tag"], "exists": False}


def test_creating_a_name_again_reuses_the_dataset_or_counts_up(run):
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient()
        client.create_dataset("again")
        first = client.dataset_id
        client.create_dataset("again")
        second = client.dataset_id
        client.create_new_dataset_with_unique_name("again")
        third = client.get_dataset_by_id(client.dataset_id).name
        client.set_dataset_id_by_name("again")
        result = [first == second, third, client.dataset_id == first,
                  sorted(d.name for d in client.get_datasets() if d.name.startswith("again"))]
    """

    assert run(script) == [True, "again_1", True, ["again", "again_1"]]
