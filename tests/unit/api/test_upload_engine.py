"""Sending images in batches: what arrives, what is repeated, what is reported."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from lightly.api.dataset_samples import DatasetSamples
from lightly.api.errors import ApiException, BlobTransferFailed, ConnectionFailed
from lightly.api.transport import Transport
from lightly.api.upload_engine import BATCH_BYTES, BATCH_ITEMS, Problems, UploadEngine
from lightly.api.upload_sources import InspectedImage
from lightly.media.reports import ImageReport


class Server:
    """Takes samples and files; refuses what it is told to."""

    def __init__(
        self, *, refused: Sequence[str] = (), statuses: Mapping[str, list[int]] | None = None
    ):
        self.refused = refused
        self.statuses = dict(statuses or {})
        self.batches: list[list[dict[str, Any]]] = []
        self.files: dict[str, bytes] = {}
        self.puts: list[str] = []
        self.is_away = False
        self.lock = threading.Lock()

    def register(self, samples: list[dict[str, Any]]) -> list[str | ApiException]:
        self.batches.append(samples)
        names = [sample["fileName"] for sample in samples]
        return [ApiException("no") if name in self.refused else f"id-{name}" for name in names]

    def make_write_urls(self, ids: Sequence[str], kinds: Sequence[str]) -> list[dict[str, str]]:
        return [{kind: f"{kind}:{id_}" for kind in kinds} for id_ in ids]

    def put_blob(self, url: str, content: Any) -> None:
        with self.lock:
            self.puts.append(url)
            if self.is_away:
                raise ConnectionFailed("away")
            status = self.statuses.get(url, [0]).pop(0) if self.statuses.get(url) else 0
            if status:
                error = BlobTransferFailed(f"refused with {status}")
                error.status = status
                raise error
            self.files[url] = content if isinstance(content, bytes) else content.read()

    @property
    def names(self) -> list[str]:
        return [sample["fileName"] for batch in self.batches for sample in batch]


def make_image(
    name: str, *, content: Any = b"full", corruption: str | None = None
) -> InspectedImage:
    thumbnail = None if corruption else f"thumb of {name}".encode()
    report = ImageReport({"size_in_bytes": 4}, thumbnail, {"Make": "X"}, corruption)
    return InspectedImage(name, content, report)


def make_engine(server: Server, *kinds: Any, **options: Any) -> UploadEngine:
    return UploadEngine(
        cast("Transport", server),
        cast("DatasetSamples", server),
        kinds,
        options.pop("custom_metadata", {}),
        max_workers=2,
    )


def run(engine: UploadEngine, images: Any, lacking: Mapping[str, Any] | None = None) -> int:
    return sum(engine.run(images, lacking or {}))


def test_samples_are_registered_in_local_order():
    server = Server()
    images = [make_image(f"{number:04}") for number in range(2 * BATCH_ITEMS + 3)]

    settled = run(make_engine(server), images)

    assert settled == len(images)
    assert server.names == [image.name for image in images]
    assert [len(batch) for batch in server.batches] == [BATCH_ITEMS, BATCH_ITEMS, 3]


def test_registration_carries_what_decoding_has_shown():
    server = Server()

    run(make_engine(server, "thumb", custom_metadata={"a.jpg": {"k": 1}}), [make_image("a.jpg")])

    assert server.batches == [
        [
            {
                "fileName": "a.jpg",
                "thumbName": "a_thumb.webp",
                "metaData": {"sizeInBytes": 4},
                "exif": {"Make": "X"},
                "customMetaData": {"k": 1},
            }
        ]
    ]


def test_thumbnails_are_sent_alone_in_their_mode():
    server = Server()

    run(make_engine(server, "thumb"), [make_image("a")])

    assert server.files == {"thumb:id-a": b"thumb of a"}


def test_full_images_are_sent_from_their_files(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"the file")
    server = Server()

    run(make_engine(server, "thumb", "full"), [make_image("a", content=path)])

    assert server.files == {"thumb:id-a": b"thumb of a", "full:id-a": b"the file"}


def test_corrupt_images_are_left_out_and_reported():
    server = Server()
    engine = make_engine(server, "thumb", "full")

    settled = run(engine, [make_image("bad", corruption="cut off"), make_image("good")])

    assert settled == 2
    assert server.names == ["good"]
    assert {url.split("-")[1] for url in server.puts} == {"good"}
    assert (engine.corrupt.examples, engine.n_sent) == ([("bad", "cut off")], 1)


def test_images_that_only_lack_files_are_named_and_nothing_else():
    server = Server()

    run(make_engine(server, "thumb", "full"), [make_image("a")], {"a": ("full",)})

    assert server.batches == [[{"fileName": "a"}]]
    assert server.puts == ["full:id-a"]


def test_a_refused_sample_is_reported_and_the_others_go_on():
    server = Server(refused=["b"])
    engine = make_engine(server, "thumb")

    run(engine, [make_image(name) for name in "abc"])

    assert sorted(server.files) == ["thumb:id-a", "thumb:id-c"]
    assert (engine.failures.examples, engine.n_sent) == ([("b", "no")], 2)


def test_a_refused_file_is_reported_and_the_others_go_on():
    server = Server(statuses={"thumb:id-b": [413]})
    engine = make_engine(server, "thumb")

    run(engine, [make_image(name) for name in "abc"])

    assert sorted(server.files) == ["thumb:id-a", "thumb:id-c"]
    assert (engine.failures.count, engine.n_sent) == (1, 2)


def test_an_expired_url_is_replaced_once():
    server = Server(statuses={"thumb:id-a": [403]})

    run(make_engine(server, "thumb"), [make_image("a")])

    assert server.puts == ["thumb:id-a", "thumb:id-a"]
    assert server.files == {"thumb:id-a": b"thumb of a"}


def test_a_url_that_is_never_good_is_reported():
    engine = make_engine(Server(statuses={"thumb:id-a": [403, 403]}), "thumb")

    run(engine, [make_image("a")])

    assert engine.failures.count == 1


def test_a_file_that_vanished_is_reported():
    engine = make_engine(Server(), "full")

    run(engine, [make_image("gone", content=Path("does-not-exist.jpg"))])

    assert engine.failures.examples == [("gone", "No such file or directory")]


def test_a_server_that_stays_away_ends_the_upload():
    server = Server()
    server.is_away = True

    with pytest.raises(ConnectionFailed):
        run(make_engine(server, "thumb"), [make_image("a")])


def test_memory_stays_bounded_whatever_the_dataset_size():
    alive, most = 0, 0

    class Tracked(bytes):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def produce() -> Iterator[InspectedImage]:
        nonlocal alive, most
        for number in range(100):
            alive += 1
            most = max(most, alive)
            yield make_image(f"{number}", content=Tracked(b"x" * (BATCH_BYTES // 4)))

    class Forgetful(Server):
        def put_blob(self, url: str, content: Any) -> None:
            pass

    run(make_engine(Forgetful(), "full"), produce())

    assert most <= 16


def test_problems_keep_the_first_ones_and_count_all():
    problems = Problems()

    for number in range(50):
        problems.add(f"name{number}", "x" * 1_000)

    assert (problems.count, len(problems.examples)) == (50, 20)
    assert problems.describe().endswith("and 30 more")
    assert len(problems.describe()) < 10_000
