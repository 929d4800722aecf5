"""What the upload flow offers to the published client 1.5.26, unmodified, on a real server.

This client has no `upload_dataset`; our SDK's bulk path fills the dataset.
"""

from __future__ import annotations

import csv

import pytest
import requests

from tests.support.pictures import draw_folder, write_embeddings
from tests.support.published_clients.runner import run_client_script

VERSION = "1.5.26"
COUNT = 20
pytestmark = pytest.mark.xdist_group("client-1.5.26")


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
def filled(run, running_server, tmp_path_factory):
    """A dataset made by the client, filled with full images over HTTP."""
    script = """
        from lightly.api import ApiWorkflowClient
        from lightly.openapi_generated.swagger_client.models import DatasetType
        client = ApiWorkflowClient()
        client.create_dataset("filled", DatasetType.IMAGES)
        result = client.dataset_id
    """
    dataset_id = run(script)
    folder = tmp_path_factory.mktemp("pictures")
    names = draw_folder(folder, COUNT)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {running_server.token}"
        base = f"{running_server.url}/v1/datasets/{dataset_id}"
        for name in names:
            body = {"fileName": name}
            made = session.post(f"{base}/samples/withWriteUrls", json=body, timeout=30).json()
            url = made["sampleWriteUrls"]["full"]
            requests.put(url, (folder / name).read_bytes(), timeout=30).raise_for_status()
        session.post(f"{base}/tags/initial", json={"imgType": "full"}, timeout=30)
    return dataset_id, folder, names


@pytest.fixture(scope="module")
def embedded(run, filled, tmp_path_factory):
    """The same dataset with embeddings."""
    dataset_id, _, names = filled
    path = tmp_path_factory.mktemp("embeddings") / "embeddings.csv"
    write_embeddings(path, sorted(names, reverse=True))
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        client.upload_embeddings(arguments["csv"], "default")
        result = client.embedding_id
    """
    return run(script, id=dataset_id, csv=str(path)), path


def test_datasets_are_made_found_and_deleted(run):
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient()
        client.create_dataset("first")
        first = client.dataset_id
        try:
            client.create_dataset("first")
        except ValueError:
            refused = True
        client.create_new_dataset_with_unique_name("first")
        second = client.get_dataset_by_id(client.dataset_id).name
        result = {
            "refused": refused,
            "second": second,
            "type": client.dataset_type,
            "exists": [client.dataset_exists(first), client.dataset_exists("f" * 24)],
            "name_exists": [client.dataset_name_exists("first"), client.dataset_name_exists("no")],
            "by_name": [d.name for d in client.get_datasets_by_name("first")],
            "mine": sorted(d.name for d in client.get_datasets() if d.name.startswith("first")),
            "shared": [d.name for d in client.get_datasets(shared=True)],
            "all": sorted(d.name for d in client.get_all_datasets() if d.name.startswith("first")),
        }
        client.set_dataset_id_by_name("first")
        client.delete_dataset_by_id(client.dataset_id)
        result["deleted"] = client.dataset_exists(first)
    """

    result = run(script)

    assert result == {
        "refused": True,
        "second": "first_1",
        "type": "Images",
        "exists": [True, False],
        "name_exists": [True, False],
        "by_name": ["first"],
        "mine": ["first", "first_1"],
        "shared": [],
        "all": ["first", "first_1"],
        "deleted": False,
    }


def test_names_and_tags_are_listed(run, filled):
    dataset_id, _, names = filled
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        tag = client.get_tag_by_name("initial-tag")
        same = client.get_tag_by_id(tag.id)
        made = client.create_tag_from_filenames(arguments["names"], "some")
        some = client.get_tag_by_name("some")
        result = {
            "names": client.get_filenames(),
            "in_tag": client.get_filenames_in_tag(tag),
            "size": same.tot_size,
            "some": client.get_filenames_in_tag(some),
            "rest": client.get_filenames_in_tag(some, exclude_parent_tag=True),
            "tags": sorted(t.name for t in client.get_all_tags()),
        }
        client.delete_tag_by_name("some")
        result["after"] = [t.name for t in client.get_all_tags()]
    """

    result = run(script, id=dataset_id, names=names[3:6])

    assert result["names"] == result["in_tag"] == names
    assert result["size"] == COUNT
    assert result["some"] == names[3:6]
    assert result["rest"] == []
    # Other tests of this module select from the dataset too.
    assert {"initial-tag", "some"} <= set(result["tags"])
    assert set(result["tags"]) - set(result["after"]) == {"some"}


def test_embeddings_go_up_and_come_down(run, filled, embedded, tmp_path):
    dataset_id, _, names = filled
    embedding_id, path = embedded
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        client.set_embedding_id_to_latest()
        client.download_embeddings_csv_by_id(arguments["embedding_id"], arguments["down"])
        client.download_embeddings_csv(arguments["down"] + "2")
        client.append_embeddings(arguments["local"], arguments["embedding_id"])
        result = {
            "latest": client.embedding_id,
            "by_name": client.get_embedding_by_name("default").id,
            "all": [e.name for e in client.get_all_embedding_data()],
            "data": client.get_embedding_data_by_name("default").name,
        }
    """
    local = tmp_path / "local.csv"
    write_embeddings(local, ["more.jpg"], seed=3)
    down = tmp_path / "down.csv"

    result = run(script, id=dataset_id, embedding_id=embedding_id, down=str(down), local=str(local))

    assert result == {
        "latest": embedding_id,
        "by_name": embedding_id,
        "all": ["default"],
        "data": "default",
    }
    sent = {row[0]: row[1:] for row in csv.reader(path.read_text("utf-8").splitlines())}
    received = {row[0]: row[1:] for row in csv.reader(down.read_text("utf-8").splitlines())}
    assert received == sent
    assert (tmp_path / "down.csv2").read_bytes() == down.read_bytes()
    appended = [row[0] for row in csv.reader(local.read_text("utf-8").splitlines())][1:]
    assert sorted(appended) == sorted([*names, "more.jpg"])


@pytest.mark.parametrize("method", ["CORESET", "RANDOM", "CORAL", "ACTIVE_LEARNING"])
def test_every_method_of_selection_makes_its_tag(run, filled, embedded, method):
    dataset_id, _, names = filled
    script = """
        import numpy as np
        from lightly.active_learning.config.selection_config import SelectionConfig
        from lightly.api import ApiWorkflowClient
        from lightly.openapi_generated.swagger_client.models import SamplingMethod
        client = ApiWorkflowClient(dataset_id=arguments["id"],
                                   embedding_id=arguments["embedding_id"])
        client.upload_scores({"uncertainty": np.linspace(0, 1, arguments["count"])},
                             client.get_tag_by_name("initial-tag").id)
        config = SelectionConfig(n_samples=6, method=SamplingMethod[arguments["method"]],
                                 name=arguments["method"])
        tag = client.selection(config)
        result = client.get_filenames_in_tag(tag)
    """

    chosen = run(script, id=dataset_id, embedding_id=embedded[0], method=method, count=COUNT)

    assert len(chosen) == 6
    if method == "ACTIVE_LEARNING":
        assert chosen == names[-6:]


def test_metadata_is_uploaded(run, filled):
    dataset_id, _, _ = filled
    script = """
        from lightly.api import ApiWorkflowClient
        from lightly.openapi_generated.swagger_client.models import ConfigurationEntry
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        names = client.get_filenames()
        metadata = {
            "images": [{"id": i, "file_name": name} for i, name in enumerate(names)],
            "metadata": [{"image_id": i, "weather": "sun"} for i in range(len(names))],
        }
        client.upload_custom_metadata(metadata)
        entry = ConfigurationEntry(name="Weather", path="weather", default_value="unknown",
                                   value_data_type="CATEGORICAL_STRING")
        client.create_custom_metadata_config("mine", [entry])
        result = len(names)
    """

    assert run(script, id=dataset_id) == COUNT


def test_a_tag_is_downloaded(run, filled, tmp_path):
    dataset_id, _, names = filled
    # Its threads race to make the same folder, and the loser gives up: make them beforehand.
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    script = """
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        client.download_dataset(arguments["folder"])
    """

    run(script, id=dataset_id, folder=str(tmp_path))

    files = {str(p.relative_to(tmp_path)): p for p in tmp_path.rglob("*") if p.is_file()}
    assert sorted(files) == names


def test_a_tag_is_exported_for_labelling_tools(run, filled):
    dataset_id, folder, names = filled
    script = """
        import urllib.request
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient(dataset_id=arguments["id"])
        tag = client.get_tag_by_name("initial-tag")
        pairs = client.export_filenames_and_read_urls_by_tag_id(tag.id)
        result = {
            "names": client.export_filenames_by_tag_name("initial-tag"),
            "pairs": [pair["fileName"] for pair in pairs],
            "label_studio": len(client.export_label_studio_tasks_by_tag_id(tag.id)),
            "label_box": len(client.export_label_box_data_rows_by_tag_id(tag.id)),
            "label_box_v4": len(client.export_label_box_v4_data_rows_by_tag_id(tag.id)),
            "bytes": len(urllib.request.urlopen(pairs[0]["readUrl"]).read()),
        }
    """

    result = run(script, id=dataset_id)

    assert result["names"].split("\n") == names
    assert result["pairs"] == names
    assert (result["label_studio"], result["label_box"], result["label_box_v4"]) == (COUNT,) * 3
    assert result["bytes"] == (folder / names[0]).stat().st_size
