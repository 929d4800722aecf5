"""Filling the main dataset, and reading it back."""

from __future__ import annotations

import io

from PIL import Image

from battery.ledger import step
from battery.world import World, read_bytes


@step("upload_dataset", until=(1, 2), ours=True)
def a_folder_is_uploaded(world: World) -> None:
    world.client.upload_dataset(str(world.folder), mode="full", max_workers=4)
    found = world.http.get(world.dataset_path)
    assert (found["nSamples"], found["imgType"]) == (len(world.names), "full")


@step("upload_dataset", until=(1, 2), ours=True)
def other_modes_upload_less(world: World) -> None:
    for mode, img_type in {"thumbnails": "thumbnail", "metadata": "meta"}.items():
        client = world.make_client()
        client.create_dataset(world.name(mode))
        client.upload_dataset(str(world.folder), mode=mode, max_workers=4)
        found = world.http.get(f"/v1/datasets/{client._dataset_id}")
        assert (found["nSamples"], found["imgType"]) == (len(world.names), img_type)


@step(since=(1, 4), until=(1, 5))
def the_dataset_is_filled_without_the_client(world: World) -> None:
    world.fill_dataset(world.client._dataset_id, world.names)
    assert world.http.get(world.dataset_path)["nSamples"] == len(world.names)


@step("get_filenames", since=(1, 2))
def names_are_listed(world: World) -> None:
    assert sorted(world.client.get_filenames()) == world.names
    world.kept["names"] = world.client.get_filenames()


@step("filenames_on_server", until=(1, 1), ours=True)
def names_are_a_property(world: World) -> None:
    assert sorted(world.client.filenames_on_server) == world.names
    world.kept["names"] = world.client.filenames_on_server


@step("upload_file_with_signed_url")
def a_file_is_sent_to_a_signed_url(world: World) -> None:
    made = world.http.post(f"{world.dataset_path}/samples", {"fileName": world.names[0]})
    path = f"{world.dataset_path}/samples/{made['id']}"
    content = (world.folder / world.names[0]).read_bytes()
    url = world.http.get(f"{path}/writeurl", isThumbnail="False")
    answer = world.client.upload_file_with_signed_url(io.BytesIO(content), url)
    assert answer.status_code == 200
    assert read_bytes(world.http.get(f"{path}/readurl", type="full")) == content


@step("download_dataset")
def a_dataset_is_downloaded(world: World) -> None:
    folder = world.scratch / "downloaded"
    for name in world.names:
        # Threads race to make the same folder, and the loser gives up: make them beforehand.
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    world.client.download_dataset(str(folder))
    for name in world.names:
        with Image.open(folder / name) as image:
            assert image.size == (64, 48)


@step(
    "download.download_image",
    "download.download_json_file",
    "download.download_prediction_file",
    since=(1, 2),
    until=(1, 4),
    ours=True,
)
def single_things_are_downloaded(world: World) -> None:
    from lightly.api import download

    sample = world.http.get(f"{world.dataset_path}/samples", pageSize="1")[0]
    path = f"{world.dataset_path}/samples/{sample['id']}/readurl"
    assert download.download_image(world.http.get(path, type="full")).size == (64, 48)
    url = f"{world.url}{world.dataset_path}/tags?token={world.token}"
    assert [tag["name"] for tag in download.download_json_file(url)] == ["initial-tag"]
    assert [tag["name"] for tag in download.download_prediction_file(url)] == ["initial-tag"]


@step("download.download_and_write_file", "download.download_and_write_all_files", since=(1, 2))
def files_are_written(world: World) -> None:
    from lightly.api import download

    samples = world.http.get(f"{world.dataset_path}/samples", pageSize="3")
    urls = [
        (
            sample["fileName"],
            world.http.get(f"{world.dataset_path}/samples/{sample['id']}/readurl", type="full"),
        )
        for sample in samples
    ]
    folder = world.scratch / "written"
    download.download_and_write_file(urls[0][1], str(folder / "one"))
    for name, _ in urls:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    download.download_and_write_all_files(urls, str(folder))
    assert (folder / "one").read_bytes() == (world.folder / urls[0][0]).read_bytes()
    for name, _ in urls:
        assert (folder / name).read_bytes() == (world.folder / name).read_bytes()
