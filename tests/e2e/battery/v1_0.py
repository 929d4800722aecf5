"""Client 1.0.8: functions instead of a client, and modules for its routes."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image

from battery.ledger import step
from battery.world import World, raises, read_bytes

LINE = (1, 0)


def only(*names: str, ours: bool = False):
    return step(*names, since=LINE, until=LINE, ours=ours)


def make_dataset(world: World, text: str) -> str:
    dataset_id: str = world.http.post("/v1/datasets", {"name": world.name(text)})["id"]
    return dataset_id


@only("utils.getenv", "utils.check_filename")
def small_helpers(world: World) -> None:
    from lightly.api import utils

    assert utils.getenv("LIGHTLY_SERVER_LOCATION", "other") == world.url
    assert utils.getenv("LIGHTLY_NOT_SET", "other") == "other"
    assert utils.check_filename("a" * 80)
    assert not utils.check_filename("a" * 81)


@only(
    "utils.image_mean",
    "utils.image_std",
    "utils.sum_of_values",
    "utils.sum_of_squares",
    "utils.signal_to_noise_ratio",
    "utils.shape",
    ours=True,
)
def statistics_of_arrays(_world: World) -> None:
    from lightly.api import utils

    pixels = np.zeros((4, 6, 3))
    pixels[:2] = 1.0

    assert np.allclose(utils.image_mean(pixels), [0.5] * 3)
    assert np.allclose(utils.image_std(pixels), [0.5] * 3)
    assert np.allclose(utils.sum_of_values(pixels), [12.0] * 3)
    assert np.allclose(utils.sum_of_squares(pixels), [12.0] * 3)
    assert np.isclose(utils.signal_to_noise_ratio(pixels), 1.0)
    assert tuple(utils.shape(pixels)) == (4, 6, 3)


@only(
    "utils.PIL_to_bytes",
    "utils.sharpness",
    "utils.size_in_bytes",
    "utils.get_meta_from_img",
    "utils.check_image",
    "utils.get_thumbnail_from_img",
    "utils.resize_image",
    ours=True,
)
def statistics_of_images(world: World) -> None:
    from lightly.api import utils

    image = Image.open(world.folder / world.names[0]).convert("RGB")
    encoded = utils.PIL_to_bytes(image)

    assert Image.open(io.BytesIO(encoded.read())).size == image.size
    assert utils.sharpness(image) > 0
    assert utils.size_in_bytes(image) > 100
    assert utils.get_meta_from_img(image)["shape"] == [48, 64, 3]
    assert utils.check_image(image)["is_corrupted"] is False
    assert max(utils.get_thumbnail_from_img(image).size) <= 80
    # 1.0.8 returns a copy of the same size; this package does what the name says.
    size = image.size if world.line == LINE else (32, 24)
    assert utils.resize_image(image, 32, 32).size == size


@only("utils.get_request", "utils.post_request", "utils.put_request", ours=True)
def requests_with_retries(world: World) -> None:
    from lightly.api import utils

    dataset_id = make_dataset(world, "requests")
    url = f"{world.url}/users/datasets/{dataset_id}"
    token = {"token": world.token}
    sample = {"sample": {"fileName": "a.jpg", "meta": {}}, **token}
    img_type = {"dataset": {"imgType": "meta"}}

    assert utils.get_request(f"{url}/tags/", params=token).json() == []
    assert len(utils.post_request(f"{url}/samples/", json=sample).json()["sampleId"]) == 24
    assert utils.put_request(url, json=img_type, params=token)
    assert raises(RuntimeError, utils.get_request, f"{url}/nothing")


@only(
    "routes.pip.service.get_version",
    "routes.users.service.get_quota",
    "routes.users.docker.service.get_soft_authorization",
    "routes.users.docker.service.get_authorization",
    "routes.users.docker.service.post_diagnostics",
)
def routes_without_a_dataset(world: World) -> None:
    from lightly.api.routes.pip import service as pip
    from lightly.api.routes.users import service as users
    from lightly.api.routes.users.docker import service as docker

    from lightly.api import routes

    newest = pip.get_version("1.0.8")
    quota, status = users.get_quota(world.token)

    assert routes.pip is not None
    assert [int(part) for part in newest.split(".")] > [1, 0, 8]
    assert (quota > 25_000, status) == (True, 200)
    assert docker.get_soft_authorization(world.token)[1] == 200
    assert docker.get_soft_authorization("not a token")[1] == 401
    assert docker.get_authorization(world.token, "1", {"task": "none"})[1:][1] == 200
    assert docker.post_diagnostics(world.token, "run", "start", {"n": 1}, "1") is True


@only(
    "routes.users.datasets.service.put_image_type",
    "routes.users.datasets.samples.service.post",
    "routes.users.datasets.samples.service.get_presigned_upload_url",
    "upload.upload_file_with_signed_url",
    "routes.users.datasets.tags.service.post",
    "routes.users.datasets.tags.service.get",
    "routes.users.datasets.tags.service.get_samples",
)
def one_sample_through_the_routes(world: World) -> None:
    from lightly.api.routes.users.datasets import service as datasets
    from lightly.api.routes.users.datasets.samples import service as samples
    from lightly.api.routes.users.datasets.tags import service as tags

    from lightly.api import upload

    dataset_id = make_dataset(world, "by route")
    content = (world.folder / world.names[0]).read_bytes()

    sample_id = samples.post("a/b.png", "a/b_thumb.webp", {}, dataset_id, world.token)
    for name in ("a/b.png", "a/b_thumb.webp"):
        url = samples.get_presigned_upload_url(name, dataset_id, sample_id, world.token)
        assert upload.upload_file_with_signed_url(io.BytesIO(content), url)
    assert tags.get(dataset_id, world.token) == []
    assert datasets.put_image_type(dataset_id, world.token, "full")
    assert tags.post(dataset_id, world.token)

    assert [tag["name"] for tag in tags.get(dataset_id, world.token)] == ["initial-tag"]
    assert tags.get_samples(dataset_id, world.token) == ["a/b.png"]
    for type_ in ("full", "thumbnail"):
        path = f"/v1/datasets/{dataset_id}/samples/{sample_id}/readurl"
        assert read_bytes(world.http.get(path, type=type_)) == content
    assert world.http.get(f"/v1/datasets/{dataset_id}")["imgType"] == "full"


@only("upload.upload_images_from_folder", "upload.upload_dataset", ours=True)
def folders_are_uploaded_in_every_mode(world: World) -> None:
    from lightly.api import upload
    from lightly.data import LightlyDataset

    img_types = {"thumbnails": "thumbnail", "full": "full", "metadata": "meta"}
    for mode, img_type in img_types.items():
        dataset_id = make_dataset(world, f"mode {mode}")
        upload.upload_images_from_folder(
            str(world.folder), dataset_id, world.token, max_workers=4, mode=mode
        )
        found = world.http.get(f"/v1/datasets/{dataset_id}")
        names = world.http.get(f"/v1/datasets/{dataset_id}/mappings", field="fileName")
        assert (found["nSamples"], found["imgType"]) == (len(world.names), img_type)
        assert sorted(names) == world.names
        world.kept[mode] = dataset_id
    again = make_dataset(world, "dataset object")
    upload.upload_dataset(LightlyDataset(input_dir=str(world.folder)), again, world.token)
    assert world.http.get(f"/v1/datasets/{again}")["nSamples"] == len(world.names)
    dataset = LightlyDataset(input_dir=str(world.folder))
    assert raises(RuntimeError, upload.upload_dataset, dataset, again, world.token)


@only(
    "upload.upload_embeddings_from_csv",
    "routes.users.datasets.embeddings.service.get_summaries",
    "routes.users.datasets.embeddings.service.post",
)
def embeddings_are_uploaded_in_batches(world: World) -> None:
    from lightly.api.routes.users.datasets.embeddings import service

    from lightly.api import upload

    dataset_id = world.kept["full"]
    arguments = (str(world.csv), dataset_id, world.token)
    upload.upload_embeddings_from_csv(*arguments, max_upload=5, embedding_name="mine")
    row = {"fileName": world.names[0], "value": [1.0, 2.0, 3.0], "label": 0}
    batch = {"embeddingName": "begun", "embeddings": [row], "append": 0}
    assert service.post(dataset_id, world.token, batch)

    names = [summary["name"] for summary in service.get_summaries(dataset_id, world.token)]
    assert names == ["mine"]
    assert "already exists" in raises(
        RuntimeError, lambda: upload.upload_embeddings_from_csv(*arguments, embedding_name="mine")
    )
    embedding = world.wait_for_embedding(dataset_id, "mine")
    path = f"/v1/datasets/{dataset_id}/embeddings/{embedding['id']}"
    stored = read_bytes(world.http.get(f"{path}/readCSVUrl")).decode().splitlines()
    assert sorted(line.split(",")[0] for line in stored[1:]) == world.names
    [plot] = [plot for plot in world.http.get(f"{path}/2d") if plot["name"] == "mine__2D"]
    assert len(plot["coordinatesDimension1"]) == len(world.names)


@only("download.get_samples_by_tag", ours=True)
def samples_of_a_tag(world: World) -> None:
    from lightly.api import download

    dataset_id = world.kept["full"]
    path = f"/v1/datasets/{dataset_id}"
    names = world.http.get(f"{path}/mappings", field="fileName")
    [initial] = world.http.get(f"{path}/tags")
    world.http.post(
        f"{path}/tags",
        {"name": "two", "prevTagId": initial["id"], "bitMaskData": "0x5", "totSize": len(names)},
    )
    arguments = ("two", dataset_id, world.token)

    assert download.get_samples_by_tag(*arguments) == [names[0], names[2]]
    assert download.get_samples_by_tag(*arguments, mode="indices", filenames=names) == [0, 2]
    mask = download.get_samples_by_tag(*arguments, mode="mask", filenames=names)
    assert [int(bit) for bit in mask[:4]] == [1, 0, 1, 0]
    with warnings.catch_warnings():
        assert raises(RuntimeError, download.get_samples_by_tag, "three", dataset_id, world.token)


@step("upload.upload_embeddings_from_csv", "upload.upload_file_with_signed_url", since=(2, 0))
def embeddings_are_uploaded_by_a_function(world: World) -> None:
    from lightly.api import upload

    dataset_id = world.kept["full"]
    upload.upload_embeddings_from_csv(
        str(world.csv), dataset_id, world.token, embedding_name="mine"
    )
    embedding = world.wait_for_embedding(dataset_id, "mine")
    path = f"/v1/datasets/{dataset_id}/embeddings"
    stored = read_bytes(world.http.get(f"{path}/{embedding['id']}/readCSVUrl"))
    assert len(stored.splitlines()) == 1 + len(world.names)
    url = world.http.get(f"{path}/writeCSVUrl", name="sent again")["signedWriteUrl"]
    assert upload.upload_file_with_signed_url(io.BytesIO(stored), url)
