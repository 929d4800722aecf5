"""Datasources: how they are described, and what lies in one."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from battery.ledger import OURS, step
from battery.world import World, raises

HOST = "http://localhost:3456"


def open_client(world: World) -> Any:
    """Return a client on a dataset of its own, made once."""
    if "source_client" not in world.kept:
        client = world.make_client()
        client.create_dataset(world.name("datasource"))
        world.kept["source_client"] = client
    return world.kept["source_client"]


def read_config(world: World) -> dict[str, Any]:
    """Return what the server answers for that dataset."""
    dataset_id = world.kept["source_client"]._dataset_id
    return dict(world.http.get(f"/v1/datasets/{dataset_id}/datasource"))


def get(value: Any, name: str) -> Any:
    """Return a field of a dictionary or of a model."""
    if isinstance(value, dict):
        return value[name]
    return value.to_dict(by_alias=True)[name]


@step("get_datasource", since=(1, 2))
def there_is_no_datasource_at_first(world: World) -> None:
    assert "404" in raises(Exception, open_client(world).get_datasource)


@step(
    "set_s3_config",
    "set_s3_delegated_access_config",
    "set_gcs_config",
    "set_azure_config",
    "get_datasource",
    since=(1, 2),
)
def cloud_datasources_are_configured_and_masked(world: World) -> None:
    client = open_client(world)
    secret = "a-very-secret-value-0123456789"
    calls = {
        "S3": lambda: client.set_s3_config(
            "s3://bucket/path", "eu-central-1", "AKIDEXAMPLE", secret
        ),
        "S3DelegatedAccess": lambda: client.set_s3_delegated_access_config(
            "s3://bucket/path", "eu-central-1", "arn:aws:iam::123456789012:role/reader", secret
        ),
        "GCS": lambda: client.set_gcs_config(
            "gs://bucket/path", "project", json.dumps({"private_key": secret})
        ),
        "AZURE": lambda: client.set_azure_config("container/path", "account", secret),
    }
    for kind, configure in calls.items():
        configure()
        assert get(client.get_datasource(), "type") == kind
        assert secret not in json.dumps(read_config(world))


@step("set_obs_config", since=(1, 4))
def obs_datasources_are_configured(world: World) -> None:
    client = open_client(world)
    client.set_obs_config("obs://bucket/path", "https://obs.example.com", "key", "secret value")
    assert read_config(world)["type"] == "OBS"
    assert "secret value" not in json.dumps(read_config(world))


@step("set_local_config", since=(1, 2))
def a_local_datasource_is_configured(world: World) -> None:
    client = open_client(world)
    client.set_local_config("" if world.line >= (1, 4) else f"{HOST}/")
    found = read_config(world)
    assert (found["type"], found["purpose"]) == ("LOCAL", "INPUT_OUTPUT")


@step("list_datasource_permissions", since=(1, 4))
def permissions_are_listed(world: World) -> None:
    found = open_client(world).list_datasource_permissions()
    names = ("can_read", "can_write", "can_list", "can_overwrite")
    assert [found[name] for name in names] == [True] * 4


@step("download_raw_samples", since=(1, 2))
def files_are_listed(world: World) -> None:
    found = open_client(world).download_raw_samples()
    assert sorted(name for name, _ in found) == world.names
    assert all(url for _, url in found)


@step("download_raw_predictions", since=(1, 2))
def predictions_are_listed(world: World) -> None:
    found = open_client(world).download_raw_predictions("weather")
    names = [name for name, _ in found]
    assert names
    assert all("predictions/weather/" in name for name in names)


@step("download_raw_metadata", since=(1, 2))
def metadata_is_listed(world: World) -> None:
    found = open_client(world).download_raw_metadata()
    assert found
    assert all("metadata/" in name for name, _ in found)


@step("download_raw_predictions_iter", "download_raw_metadata_iter", since=(1, 4))
def iterators_list_the_same(world: World) -> None:
    client = open_client(world)
    names = [name for name, _ in client.download_raw_predictions_iter("weather")]
    assert names == [name for name, _ in client.download_raw_predictions("weather")]
    names = [name for name, _ in client.download_raw_metadata_iter()]
    assert names == [name for name, _ in client.download_raw_metadata()]


@step(
    "get_processed_until_timestamp",
    "update_processed_until_timestamp",
    "download_new_raw_samples",
    since=(1, 2),
)
def only_new_files_are_listed(world: World) -> None:
    client = open_client(world)
    assert client.get_processed_until_timestamp() == 0
    assert sorted(name for name, _ in client.download_new_raw_samples()) == world.names
    assert abs(client.get_processed_until_timestamp() - time.time()) < 60
    client.update_processed_until_timestamp(int(time.time()) + 60)
    assert client.download_new_raw_samples() == []


@step("get_prediction_read_url", "get_metadata_read_url", since=(1, 2))
def files_of_a_datasource_have_urls(world: World) -> None:
    client = open_client(world)
    assert client.get_prediction_read_url("weather/schema.json")
    assert client.get_metadata_read_url("schema.json")


@step("get_custom_embedding_read_url", since=(1, 4))
def embeddings_of_a_datasource_have_urls(world: World) -> None:
    assert open_client(world).get_custom_embedding_read_url("mine.csv")


@step("list_video_frames", "download_video_frames", since=OURS)
def frames_of_videos_are_read_by_name(world: World) -> None:
    folder = world.mount / world.name("videos")
    folder.mkdir()
    write_video(folder / "street.mp4", n_frames=12)
    client = world.make_client()
    client.create_dataset(world.name("videos"), "Videos")
    client.set_local_config(relative_path=folder.name, purpose="INPUT")
    names = [frame.name for frame in client.list_video_frames()]
    assert names == [f"street-{number:02}-mp4.png" for number in range(12)]
    target = world.scratch / "frames"
    assert client.download_video_frames(names[3:5], target) == names[3:5]
    assert sorted(path.name for path in target.iterdir()) == names[3:5]


def write_video(path: Path, *, n_frames: int) -> None:
    """Write grey frames."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(n_frames):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
