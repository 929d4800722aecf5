"""Whole runs on videos: scheduled by a published client, done by a real worker."""

from __future__ import annotations

import csv
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.support.http_clients import RemoteClient
from tests.support.platforms import ServerProcess, name_mounts, run_process
from tests.support.published_clients.runner import run_client_script
from tests.support.real_videos import REAL_VIDEOS, find_real_video
from tests.support.worker_process import ComputeWorker
from tests.unit.media.clips import draw_frame, write_frames, write_sound

CLIENT = "1.5.26"
N_SELECTED = 6
CARPHONE = next(video for video in REAL_VIDEOS if video.name.startswith("carphone"))
MAKE = """
    from lightly.api import ApiWorkflowClient
    from lightly.openapi_generated.swagger_client.models import DatasetType, DatasourcePurpose

    client = ApiWorkflowClient()
    client.create_dataset(arguments["name"], DatasetType.VIDEOS)
    for purpose in (DatasourcePurpose.INPUT, DatasourcePurpose.LIGHTLY):
        client.set_local_config(relative_path="drives", purpose=purpose)
    client.register_compute_worker("worker of a test")
    result = client.dataset_id
"""
SCHEDULE = """
    from lightly.api import ApiWorkflowClient

    client = ApiWorkflowClient(dataset_id=arguments["dataset"])
    result = client.schedule_compute_worker_run(
        worker_config=arguments["worker"], selection_config=arguments["selection"]
    )
"""
WATCH = """
    from lightly.api import ApiWorkflowClient

    client = ApiWorkflowClient(dataset_id=arguments["dataset"])
    states = [
        (info.state, info.message)
        for info in client.compute_worker_run_info_generator(arguments["scheduled"])
    ]
    run = client.get_compute_worker_run_from_scheduled_run(arguments["scheduled"])
    client.download_compute_worker_run_artifacts(run, arguments["folder"])
    result = {"states": states, "names": client.get_filenames()}
"""
DIVERSITY = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}


@dataclass(frozen=True)
class Drives:
    """A server beside videos.

    Attributes:
        server: The server, which reads the folders itself.
        videos: Where the input lies.
        lightly: What is written besides, and read of predictions and metadata.
        folder: For workers and downloads.
    """

    server: ServerProcess
    videos: Path
    lightly: Path
    folder: Path

    def make_dataset(self, name: str) -> str:
        """Make a dataset of the videos; return its id."""
        return str(self._call(MAKE, name=name))

    def run(
        self, dataset: str, strategies: list[Any], n_samples: int, *options: str, **worker: Any
    ) -> dict[str, Any]:
        """Schedule a run and do it; return what the client sees of it."""
        scheduled = self.schedule(dataset, strategies, n_samples, **worker)
        self.make_worker(*options).finish_runs()
        return self.watch(dataset, scheduled)

    def schedule(self, dataset: str, strategies: list[Any], n_samples: int, **worker: Any) -> str:
        """Schedule a run; return its id."""
        selection = {"n_samples": n_samples, "strategies": strategies}
        return str(self._call(SCHEDULE, dataset=dataset, worker=worker, selection=selection))

    def make_worker(self, *options: str) -> ComputeWorker:
        """Return a worker that is not started yet."""
        return ComputeWorker(self.server.url, self.server.token, self.folder, *options)

    def watch(self, dataset: str, scheduled: str) -> dict[str, Any]:
        """Return what the client sees of a run that has ended well."""
        downloads = self.folder / scheduled
        found = self._call(WATCH, dataset=dataset, scheduled=scheduled, folder=str(downloads))
        assert found["states"][-1][0] == "COMPLETED", found["states"][-1][1]
        return {**found, "message": found["states"][-1][1], "downloads": downloads}

    def list_samples(self, dataset: str) -> list[dict[str, Any]]:
        """Return all samples of a dataset."""
        answer = RemoteClient(self.server).get(f"/v1/datasets/{dataset}/samples").json()
        return [dict(sample) for sample in answer]

    def read_table(self, name: str) -> list[list[str]]:
        """Return the rows of a table of the only run."""
        (path,) = self.lightly.glob(f"runs/*/{name}.csv")
        return list(csv.reader(path.read_text().splitlines()))[1:]

    def _call(self, source: str, **arguments: Any) -> Any:
        return run_client_script(
            CLIENT,
            source,
            server_url=self.server.url,
            token=self.server.token,
            arguments=arguments,
            timeout_s=120,
        ).result


@pytest.fixture
def drives(tmp_path: Path) -> Iterator[Drives]:
    """A server beside a real video."""
    videos = tmp_path / "input" / "drives"
    (videos / "town").mkdir(parents=True)
    (videos / "town" / "phone.mp4").write_bytes(find_real_video(CARPHONE).read_bytes())
    lightly = tmp_path / "lightly" / "drives"
    lightly.mkdir(parents=True)
    with run_process(tmp_path / "data", **name_mounts(tmp_path)) as server:
        yield Drives(server, videos, lightly / ".lightly", tmp_path)


def add_odd_videos(folder: Path) -> None:
    """Add a video that is cut off and its copy, one that is none, and one without pictures."""
    grey = [draw_frame(number) for number in range(20)]
    path = write_frames(folder / "cut.mpg", grey, codec="mpeg1video")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    (folder / "later.mpg").write_bytes(path.read_bytes())
    (folder / "text.mp4").write_text("this is no video")
    write_sound(folder / "sound.mp4")


def decode(video: Path) -> list[np.ndarray]:
    """Return all frames of a video as PyAV has them."""
    with av.open(str(video)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_selected_frames_are_written_and_all_videos_accounted_for(drives: Drives) -> None:
    add_odd_videos(drives.videos)
    dataset = drives.make_dataset("frames of drives")
    found = drives.run(dataset, [DIVERSITY], N_SELECTED)
    samples = drives.list_samples(dataset)
    assert [sample["fileName"] for sample in samples] == found["names"]
    assert len(samples) == N_SELECTED
    check_frames(drives, [one for one in samples if one["fileName"].startswith("town/")])
    thumbnails = [path for path in (drives.lightly / "thumbnails").rglob("*") if path.is_file()]
    assert len(thumbnails) == N_SELECTED
    corrupt = json.loads((found["downloads"] / "corruptness_check_information.json").read_text())
    assert {"text.mp4", "sound.mp4"} <= set(corrupt["corrupt_videos"])
    check_counts(drives, found)


def check_frames(drives: Drives, samples: list[dict[str, Any]]) -> None:
    """Compare samples, and the files that were written, with what PyAV makes of the video."""
    assert samples
    pixels = decode(drives.videos / "town" / "phone.mp4")
    for sample in samples:
        place = sample["videoFrameData"]
        index = place["sourceVideoFrameIndex"]
        assert sample["type"] == "VIDEO_FRAME"
        assert sample["fileName"] == f"town/phone-{index:03d}-mp4.png"
        assert place["sourceVideo"] == "town/phone.mp4"
        assert place["sourceVideoFrameTimestamp"] == pytest.approx(index / 29.97, abs=0.001)
        path = drives.lightly / "frames" / sample["fileName"]
        assert sample["metaData"]["sizeInBytes"] == path.stat().st_size
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), pixels[index])


def check_counts(drives: Drives, found: dict[str, Any]) -> None:
    """Check that frames and videos add up, and that the table names what is left out."""
    report = json.loads((found["downloads"] / "report_v2.json").read_text())
    sizes = report["generalInformation"]["datasetInformation"]
    frames, videos = sizes["datasetSizes"], sizes["videoLevelSizes"]
    rows = drives.read_table("excluded")
    kinds = Counter(kind for name, kind, _ in rows if name.endswith(".png"))
    assert frames["nCorrupt"] == kinds["corrupt"]
    assert frames["nDuplicate"] == kinds["duplicate"]
    excluded = frames["nCorrupt"] + frames["nDuplicate"]
    assert frames["nInput"] == excluded + frames["nRemoved"] + frames["nSelected"]
    assert frames["nSelected"] == N_SELECTED
    assert (videos["nInput"], videos["nCorrupt"], videos["nDuplicate"]) == (5, 2, 1)
    assert videos["nRemoved"] + videos["nSelected"] == 2
    assert {name for name, kind, _ in rows if kind == "corrupt"} >= {"text.mp4", "sound.mp4"}
    own = json.loads((found["downloads"] / "report.json").read_text())
    assert sum(len(video["selectedFrames"]) for video in own["videos"]) == N_SELECTED


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def annotate(drives: Drives) -> None:
    """Say the weather of the video, another one of some frames, and find a car in every frame."""
    root = drives.lightly
    weather = {"name": "Weather", "path": "weather", "valueDataType": "CATEGORICAL_STRING"}
    write_json(root / "metadata/schema.json", [weather])
    shared = {"weather": "sun", "driver": {"name": "Kim", "age": 40}}
    write_json(root / "metadata/town/phone.json", {"type": "video", "metadata": shared})
    write_json(root / "predictions/tasks.json", ["cars"])
    car = {"task_type": "object-detection", "categories": [{"id": 0, "name": "car"}]}
    write_json(root / "predictions/cars/schema.json", car)
    for number in range(CARPHONE.n_frames):
        stem = f"town/phone-{number:03d}-mp4"
        if number < 60:
            own = {"type": "frame", "metadata": {"weather": "rain", "driver": {"age": 41}}}
            write_json(root / f"metadata/{stem}.json", own)
        if number % 20 < 4:
            box = {"category_id": 0, "bbox": [10, 10, 60, 50], "score": 0.5}
            write_json(root / f"predictions/cars/{stem}.json", {"predictions": [box]})


def test_sequences_follow_metadata_and_predictions_and_later_runs_take_new_videos(
    drives: Drives,
) -> None:
    annotate(drives)
    roots = {side: str(drives.folder / side) for side in ("input", "lightly")}
    mounts = ["--input-mount", roots["input"], "--lightly-mount", roots["lightly"]]
    options = {
        "use_datapool": True,
        "upload_report": False,
        "selected_sequence_length": 4,
        "output_image_format": "jpg",
    }
    rain = {"type": "BALANCE", "target": {"rain": 0.5, "sun": 0.5}}
    strategies = [
        {"input": {"type": "METADATA", "key": "weather"}, "strategy": rain},
        {"input": {"type": "EMBEDDINGS", "task": "cars"}, "strategy": {"type": "DIVERSITY"}},
    ]
    dataset = drives.make_dataset("sequences of drives")
    first = drives.run(dataset, strategies, 8, *mounts, **options)
    sequences = json.loads((first["downloads"] / "sequence_information.json").read_text())
    check_sequences(sequences, first["names"])
    assert {int(one["frame_indices"][0]) % 20 for one in sequences} == {0}
    samples = drives.list_samples(dataset)
    for sample in samples:
        is_early = sample["videoFrameData"]["sourceVideoFrameIndex"] < 60
        assert sample["customMetaData"] == {
            "weather": "rain" if is_early else "sun",
            "driver": {"name": "Kim", "age": 41 if is_early else 40},
        }
        assert (drives.lightly / "frames" / sample["fileName"]).read_bytes()[:2] == b"\xff\xd8"
    weathers = Counter(sample["customMetaData"]["weather"] for sample in samples)
    assert weathers == {"rain": 4, "sun": 4}

    path = write_frames(drives.videos / "new.mp4", [draw_frame(number) for number in range(10)])
    later = time.time() + 2
    os.utime(path, (later, later))
    time.sleep(3)
    second = drives.run(dataset, [DIVERSITY], 4, *mounts, **options)
    assert second["message"].startswith("Selected 4 of 10 frames of 1 videos; 10 listed")
    assert len(second["names"]) == 12
    added = sorted(set(second["names"]) - set(first["names"]))
    assert all(name.startswith("new-") for name in added)


@pytest.mark.long
def test_a_run_that_is_killed_in_a_video_goes_on_in_the_middle_of_it(drives: Drives) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (900, 6, 8, 3), np.uint8)
    frames = [np.kron(one, np.ones((20, 20, 1), np.uint8)) for one in noise]
    write_frames(drives.videos / "long.mp4", frames)
    dataset = drives.make_dataset("a long drive")
    scheduled = drives.schedule(dataset, [DIVERSITY], N_SELECTED)
    worker = drives.make_worker()
    worker.start()
    worker.wait_until(lambda: any((drives.folder / "work").rglob("unnamed-000001.arrow")))
    worker.kill()
    drives.make_worker().finish_runs()
    found = drives.watch(dataset, scheduled)
    assert found["message"].startswith(f"Selected {N_SELECTED} of 1020 frames of 2 videos")
    log = (drives.folder / "worker.log").read_text()
    assert re.search(r"long\.mp4: goes on behind the (512|768) frames of an earlier attempt", log)


def check_sequences(sequences: list[dict[str, Any]], names: list[str]) -> None:
    """Check the artifact field by field."""
    assert len(sequences) == 2
    assert sorted(name for one in sequences for name in one["frame_names"]) == sorted(names)
    for one in sequences:
        first = one["frame_indices"][0]
        assert one["video_name"] == "town/phone.mp4"
        assert one["frame_indices"] == [first, first + 1, first + 2, first + 3]
        numbers = [f"town/phone-{index:03d}-mp4.jpg" for index in one["frame_indices"]]
        assert one["frame_names"] == numbers
        assert one["frame_timestamps_sec"] == pytest.approx(
            [index / 29.97 for index in one["frame_indices"]], abs=0.001
        )
        assert one["frame_timestamps_pts"] == sorted(one["frame_timestamps_pts"])
