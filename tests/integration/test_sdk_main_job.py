"""The main job through the SDK: images in, a chosen subset out, against a real application."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from lightly.active_learning.config import SelectionConfig
from lightly.api import ApiWorkflowClient
from lightly.api.errors import ApiException, CorruptImagesWarning, IncompleteDownloadWarning
from lightly.data.dataset import LightlyDataset
from tests.support.contract import ContractClient
from tests.support.platforms import TOKEN, InProcessServer
from tests.support.sdk import (
    BridgeAdapter,
    make_client,
    make_json_response,
    make_response,
    make_waiting_settings,
)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Ten small pictures, some in sub-folders, with names of many kinds."""
    folder = tmp_path / "images"
    for number, name in enumerate(
        ["a.jpg", "b c.png", "sub/c.jpg", "sub/d.d.jpeg", "süb/é.jpg", "日本/x.webp", "z#1.jpg",
         "z%41.jpg", "z+.bmp", "z.jpg"]
    ):  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture
def network(sqlite_server: InProcessServer) -> BridgeAdapter:
    """The way to the server; every answer is held against the contract."""
    return BridgeAdapter(ContractClient(sqlite_server.client))


@pytest.fixture
def client(network: BridgeAdapter) -> ApiWorkflowClient:
    """A client with a new dataset."""
    return open_client(network)


def draw_video(folder: Path, n_frames: int) -> Path:
    """Write a small video whose frames differ; return the folder."""
    folder.mkdir()
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(n_frames):
            pixels = np.full((48, 64, 3), 40 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return folder


def open_client(network: BridgeAdapter) -> ApiWorkflowClient:
    """Return a client with a new dataset."""
    client = make_client(network, TOKEN, settings=make_waiting_settings())
    client.create_dataset("street scenes")
    return client


def list_files(folder: Path) -> list[str]:
    """Return the names of a folder's files in the order in which they are uploaded."""
    return LightlyDataset(str(folder)).get_filenames()


def write_embeddings(path: Path, names: list[str], offset: float = 0) -> str:
    """Write embeddings whose values tell the names apart; return the path."""
    rows = [f"{name},{number + offset},{number % 3},0" for number, name in enumerate(names)]
    path.write_text("\n".join(["filenames,embedding_0,embedding_1,labels", *rows, ""]))
    return str(path)


@pytest.mark.parametrize(
    ("mode", "image_type", "kinds"),
    [("metadata", "meta", []), ("thumbnails", "thumbnail", ["thumb"]),
     ("full", "full", ["full", "thumb"])],
)  # fmt: skip
def test_upload_in_each_mode(client, network, images, mode, image_type, kinds):
    client.upload_dataset(str(images), mode=mode)

    dataset = client.get_dataset_by_id(client.dataset_id)
    assert (dataset.n_samples, dataset.img_type) == (10, image_type)
    assert client.get_filenames() == list_files(images)
    assert [tag.name for tag in client.get_all_tags()] == ["initial-tag"]
    sent = {kind: network.count("PUT", f"/samples/{kind}/") for kind in ("full", "thumb")}
    assert sent == {kind: 10 * (kind in kinds) for kind in ("full", "thumb")}


def test_samples_hold_what_decoding_has_shown(client, images):
    client.upload_dataset(str(images), mode="metadata")

    [task] = client.export_label_studio_tasks_by_tag_name("initial-tag")[:1]

    metadata = task["data"]["lightlyMetaInfo"]["metaData"]
    assert metadata["shape"] == [40, 60, 3]
    assert metadata["sizeInBytes"] == (images / "a.jpg").stat().st_size


def test_a_lightly_dataset_can_be_uploaded(client, images):
    client.upload_dataset(LightlyDataset(str(images), filenames=["a.jpg", "sub/c.jpg"]))

    assert client.get_filenames() == ["a.jpg", "sub/c.jpg"]


def test_images_in_memory_can_be_uploaded_and_read_back(client, tmp_path):
    pixels = [np.full((8, 8, 3), value, np.uint8) for value in (10, 200)]
    dataset = LightlyDataset.from_torch_dataset(
        [(Image.fromarray(one), 0) for one in pixels], index_to_filename=lambda _, i: f"{i}.png"
    )

    client.upload_dataset(dataset, mode="full")
    client.download_dataset(str(tmp_path / "out"), verbose=False)

    with Image.open(tmp_path / "out" / "1.png") as image:
        assert np.array_equal(np.asarray(image), pixels[1])


def test_a_second_upload_of_the_same_folder_sends_no_image(client, network, images):
    client.upload_dataset(str(images), mode="full")
    before = len(network.log)

    client.upload_dataset(str(images), mode="full")

    assert {method for method, _ in network.log[before:]} == {"GET"}


def test_new_images_of_a_folder_are_added_under_a_tag_of_their_own(client, network, images):
    client.upload_dataset(str(images), mode="thumbnails")
    Image.new("RGB", (9, 9)).save(images / "new.png")

    client.upload_dataset(str(images), mode="thumbnails")

    initial, added = client.get_all_tags()
    assert client.get_filenames_in_tag(added) == ["new.png"]
    assert initial.tot_size == added.tot_size == 11
    assert network.count("PUT", "/samples/thumb/") == 11


def test_corrupt_images_are_left_out_and_reported(client, network, images):
    (images / "broken.jpg").write_bytes(b"\xff\xd8\xff no image")

    with pytest.warns(CorruptImagesWarning, match="1 images .*\n.*broken.jpg"):
        client.upload_dataset(str(images), mode="full")

    assert "broken.jpg" not in client.get_filenames()
    assert network.count("PUT", "/samples/full/") == 10


def test_frames_of_a_video_are_samples(client, tmp_path):
    folder = draw_video(tmp_path / "videos", n_frames=5)

    client.upload_dataset(str(folder), mode="full")
    client.download_dataset(str(tmp_path / "out"), verbose=False)

    assert client.get_filenames() == [f"clip-{number}-mp4.png" for number in range(5)]
    [task] = client.export_label_studio_tasks_by_tag_name("initial-tag")[2:3]
    sample = task["data"]["lightlyMetaInfo"]
    assert (sample["type"], sample["videoFrameData"]["sourceVideo"]) == ("VIDEO_FRAME", "clip.mp4")
    assert sample["videoFrameData"]["sourceVideoFrameIndex"] == 2
    with Image.open(tmp_path / "out" / "clip-2-mp4.png") as image:
        shown = np.asarray(LightlyDataset(str(folder))[2][0])
        assert np.array_equal(np.asarray(image), shown)


def test_custom_metadata_arrives_with_the_images(client, images):
    metadata = {
        "images": [{"file_name": "a.jpg", "id": 7}, {"file_name": "z.jpg", "id": 8}],
        "metadata": [{"image_id": 7, "weather": "rainy"}],
    }

    client.upload_dataset(str(images), mode="metadata", custom_metadata=metadata)

    tasks = client.export_label_studio_tasks_by_tag_name("initial-tag")
    found = [task["data"]["lightlyMetaInfo"].get("customMetaData") for task in tasks]
    assert found == [{"image_id": 7, "weather": "rainy"}] + [None] * 9


def test_a_dataset_above_the_quota_is_refused_before_anything_is_sent(client, network, images):
    network.hook = lambda request: (
        None if "/quota" not in request.path_url else make_json_response("9")
    )

    with pytest.raises(ValueError, match="the server allows 9"):
        client.upload_dataset(str(images))

    assert client.get_dataset_by_id(client.dataset_id).n_samples == 0


@pytest.mark.parametrize("wrong", [3, None, ["a.jpg"]])
def test_something_that_is_no_dataset_is_refused(client, wrong):
    with pytest.raises(ValueError, match="LightlyDataset"):
        client.upload_dataset(wrong)


def test_an_unknown_mode_is_refused(client, images):
    with pytest.raises(ValueError, match="full, thumbnails, metadata"):
        client.upload_dataset(str(images), mode="everything")


def test_the_whole_job_from_folder_to_chosen_subset(server, images, tmp_path):
    client = open_client(BridgeAdapter(ContractClient(server.client)))
    client.upload_dataset(str(images), mode="full")
    names = client.get_filenames()
    path = write_embeddings(tmp_path / "embeddings.csv", names[::-1])
    client.upload_embeddings(path, "default")

    tag = client.selection(SelectionConfig(n_samples=4, name="four of ten"))
    client.download_dataset(str(tmp_path / "out"), tag_name="four of ten", verbose=False)

    chosen = client.get_filenames_in_tag(tag, names)
    assert len(chosen) == 4
    assert {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes()
        for path in (tmp_path / "out").rglob("*.*")
    } == {name: (images / name).read_bytes() for name in chosen}


def test_a_second_selection_grows_from_the_first(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    client.upload_embeddings(write_embeddings(tmp_path / "e.csv", client.get_filenames()), "e")
    first = client.selection(SelectionConfig("RANDOM", 2, name="first"))

    second = client.selection(
        SelectionConfig(n_samples=5, name="second"), preselected_tag_id=first.id
    )

    chosen = set(client.get_filenames_in_tag(second))
    assert len(chosen) == 5
    assert chosen > set(client.get_filenames_in_tag(first))
    added = client.get_filenames_in_tag(second, exclude_parent_tag=True)
    assert set(added) == chosen - set(client.get_filenames_in_tag(first))


def test_selection_refuses_a_name_that_is_taken(client, images):
    client.upload_dataset(str(images), mode="metadata")

    with pytest.raises(RuntimeError, match="initial-tag"):
        client.selection(SelectionConfig(name="initial-tag"))


def test_selection_without_images_says_what_is_missing(client):
    with pytest.raises(RuntimeError, match="upload images first"):
        client.selection(SelectionConfig())


def test_selection_without_embeddings_says_what_is_missing(client, images):
    client.upload_dataset(str(images), mode="metadata")

    with pytest.raises(RuntimeError, match="no embedding"):
        client.selection(SelectionConfig())


def test_a_failed_selection_says_why(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    client.upload_embeddings(write_embeddings(tmp_path / "e.csv", client.get_filenames()), "e")

    with pytest.raises((RuntimeError, ValueError)) as caught:
        client.selection(SelectionConfig("ACTIVE_LEARNING", 3, name="no scores"))

    assert "score" in str(caught.value).lower()


def test_scores_steer_active_learning(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    names = client.get_filenames()
    client.upload_embeddings(write_embeddings(tmp_path / "e.csv", names), "e")
    client.upload_scores({"uncertainty": np.linspace(0, 1, 10)})

    tag = client.selection(SelectionConfig("ACTIVE_LEARNING", 2, name="uncertain"))

    assert client.get_filenames_in_tag(tag, names) == names[-2:]


def test_embeddings_are_stored_in_the_order_of_the_samples(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    names = client.get_filenames()
    client.upload_embeddings(write_embeddings(tmp_path / "e.csv", names[::-1]), "e")

    client.download_embeddings_csv_by_id(client.embedding_id, str(tmp_path / "back.csv"))

    rows = (tmp_path / "back.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == names


def test_the_same_embeddings_again_change_nothing(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    path = write_embeddings(tmp_path / "e.csv", client.get_filenames())
    client.upload_embeddings(path, "e")
    first = client.embedding_id

    client.upload_embeddings(path, "e")

    assert client.embedding_id == first
    assert len(client.get_all_embedding_data()) == 1


def test_embeddings_of_added_images_join_those_on_the_server(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    old = client.get_filenames()
    client.upload_embeddings(write_embeddings(tmp_path / "old.csv", old), "default")
    Image.new("RGB", (9, 9)).save(images / "new.png")
    client.upload_dataset(str(images), mode="metadata")

    path = write_embeddings(tmp_path / "new.csv", ["new.png", "a.jpg"], offset=100)
    before = Path(path).read_bytes()
    client.upload_embeddings(path, "default")

    newest = client.get_embedding_by_name("default")
    assert newest.id == client.embedding_id
    assert newest.name.startswith("default_")
    client.download_embeddings_csv_by_id(newest.id, str(tmp_path / "back.csv"))
    rows = (tmp_path / "back.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == client.get_filenames()
    assert rows[0] == "a.jpg,101,1,0"
    assert Path(path).read_bytes() == before


def test_an_interrupted_upload_of_embeddings_goes_on(client, network, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    path = write_embeddings(tmp_path / "e.csv", client.get_filenames())

    def die(request):
        if "/blobs/" in str(request.path_url):
            raise KeyboardInterrupt

    network.hook = die
    with pytest.raises(KeyboardInterrupt):
        client.upload_embeddings(path, "e")
    network.hook = None

    client.upload_embeddings(path, "e")

    assert [one.name for one in client.get_all_embedding_data()] == ["e"]
    client.download_embeddings_csv_by_id(client.embedding_id, str(tmp_path / "back.csv"))
    assert (tmp_path / "back.csv").read_text() == Path(path).read_text()


def test_appending_brings_the_rows_of_the_server_into_the_local_file(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    names = client.get_filenames()
    client.upload_embeddings(write_embeddings(tmp_path / "e.csv", names), "e")
    local = write_embeddings(tmp_path / "local.csv", ["elsewhere.jpg", names[3]], offset=50)

    client.append_embeddings(local, client.embedding_id)

    rows = [line.split(",") for line in Path(local).read_text().splitlines()[1:]]
    assert [row[0] for row in rows] == [*names, "elsewhere.jpg"]
    assert [row[1] for row in rows if row[0] in {names[3], "elsewhere.jpg"}] == ["51", "50"]


def test_appending_embeddings_of_other_width_leaves_the_file_alone(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")
    client.upload_embeddings(write_embeddings(tmp_path / "e.csv", client.get_filenames()), "e")
    local = tmp_path / "local.csv"
    local.write_text("filenames,embedding_0,labels\na.jpg,1,0\n")

    with pytest.raises(RuntimeError, match="Column mismatch"):
        client.append_embeddings(str(local), client.embedding_id)

    assert local.read_text() == "filenames,embedding_0,labels\na.jpg,1,0\n"


def test_embeddings_that_do_not_fit_the_dataset_are_refused(client, images, tmp_path):
    client.upload_dataset(str(images), mode="metadata")

    with pytest.raises(ValueError, match="9 of 10 samples"):
        client.upload_embeddings(write_embeddings(tmp_path / "e.csv", ["a.jpg"]), "e")

    assert client.get_all_embedding_data() == []


def test_downloads_need_images_on_the_server(client, images, tmp_path):
    client.upload_dataset(str(images), mode="thumbnails")

    with pytest.raises(ValueError, match="mode='full'"):
        client.download_dataset(str(tmp_path))


def test_downloads_need_a_tag_that_exists(client, images, tmp_path):
    client.upload_dataset(str(images), mode="full")

    with pytest.raises(ValueError, match="no tag"):
        client.download_dataset(str(tmp_path), "nothing")


def test_a_second_download_transfers_only_what_is_missing(client, images, tmp_path):
    client.upload_dataset(str(images), mode="full")
    out = tmp_path / "out"
    client.download_dataset(str(out), verbose=False)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    (out / "a.jpg").unlink()
    (out / "z.jpg").write_bytes(b"half")

    client.download_dataset(str(out), verbose=False)

    changed = {
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and times[path] != path.stat().st_mtime_ns
    }
    assert changed == {"a.jpg", "z.jpg"}
    assert (out / "z.jpg").read_bytes() == (images / "z.jpg").read_bytes()


def test_images_that_cannot_be_downloaded_are_listed(client, network, images, tmp_path):
    client.upload_dataset(str(images), mode="full")
    broken = client.get_filenames()[3]
    sample_id = client._transport.get(f"/v1/datasets/{client.dataset_id}/mappings?field=_id")[3]
    network.hook = lambda request: (
        make_response(404) if f"/{sample_id}/readurl" in str(request.path_url) else None
    )

    with pytest.warns(IncompleteDownloadWarning, match=f"1 of 10 images .*\n.*{broken}"):
        client.download_dataset(str(tmp_path / "out"), verbose=False)

    assert len([path for path in (tmp_path / "out").rglob("*") if path.is_file()]) == 9


def test_a_file_goes_to_a_signed_url(client, sqlite_server, images):
    client.upload_dataset(str(images), mode="metadata")
    path = f"/v1/datasets/{client.dataset_id}/samples"
    sample_id = sqlite_server.client.get(path).json()[0]["id"]
    url = sqlite_server.client.get(f"{path}/{sample_id}/writeurl?isThumbnail=False").json()

    response = client.upload_file_with_signed_url(io.BytesIO(b"GIF89a"), url)

    assert response.status_code == 200
    read_url = sqlite_server.client.get(f"{path}/{sample_id}/readurl?type=full").json()
    assert sqlite_server.client.get(read_url).content == b"GIF89a"


def test_another_users_dataset_does_not_exist(client, sqlite_server):
    other = sqlite_server.add_user("other@localhost")
    stranger = make_client(BridgeAdapter(other), other.headers["Authorization"].split()[1])

    assert not stranger.dataset_exists(client.dataset_id)
    with pytest.raises(ValueError, match="does not exist"):
        stranger.dataset_id = client.dataset_id
    with pytest.raises(ApiException):
        stranger.get_dataset_by_id(client.dataset_id)
