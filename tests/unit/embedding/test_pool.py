from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lightly._kit.errors import BadInput
from lightly.embedding import pool as pool_module
from lightly.embedding.pool import EmbeddingPool, count_cores, count_processes, embed_images
from lightly.embedding.registry import SHIPPED_MODEL, UnknownModel, UnusableModel
from lightly.embedding.session import EmbeddingSession
from lightly.media.errors import CorruptVideo
from lightly.media.model_input import load_model_pixels
from lightly.media.sandbox_process import ChildSettings
from tests.unit.media import odd_images as odd
from tests.unit.media.clips import LEVEL_STEP, write_clip


def color(*values: int) -> bytes:
    return odd.encode(odd.flat(values), "PNG")


def first_values(embedded) -> list[float | None]:
    return [None if e.vector is None else float(e.vector[0]) for e in embedded]


@pytest.fixture
def odd_child(monkeypatch):
    """Make pools start children that misbehave on certain bytes."""
    command = [sys.executable, "-P", str(Path(__file__).with_name("odd_child.py"))]
    monkeypatch.setattr(pool_module, "child_command", lambda: command)


@pytest.mark.parametrize("batch_size", [1, 3, 4, 50])
def test_vectors_come_in_input_order(tiny_model, batch_size):
    images = [color(number, 0, 0) for number in range(30)]

    embedded = embed_images(images, model=tiny_model, batch_size=batch_size, n_processes=2)

    assert first_values(embedded) == list(range(30))


def test_paths_and_bytes_can_be_mixed(tmp_path, tiny_model):
    path = tmp_path / "ä.png"
    path.write_bytes(color(10, 20, 30))

    embedded = list(
        embed_images([color(1, 0, 0), path, str(path), color(2, 0, 0)], model=tiny_model)
    )

    assert first_values(embedded) == [1, 10, 10, 2]
    assert embedded[1].vector == pytest.approx([10, 20, 30])
    assert embedded[1].vector.dtype == np.float32


def test_corrupt_images_keep_their_place_and_say_why(tmp_path, tiny_model):
    sources = [color(1, 0, 0), b"rubbish", tmp_path / "none.png", color(4, 0, 0), b"", b""]

    embedded = list(embed_images(sources, model=tiny_model, batch_size=4))

    assert first_values(embedded) == [1, None, None, 4, None, None]
    assert embedded[1].corruption.startswith("The content is not an image")
    assert embedded[2].corruption == "The file is missing or cannot be reached."
    assert embedded[0].corruption is None


def test_nothing_in_gives_nothing_out(tiny_model):
    assert list(embed_images([], model=tiny_model)) == []


def test_vectors_are_those_of_the_one_pixel_function():
    image = odd.encode(odd.photo(640, 480), "JPEG")
    pixels = load_model_pixels(image, SHIPPED_MODEL.rule)

    (embedded,) = embed_images([image], n_processes=1)

    assert np.array_equal(embedded.vector, EmbeddingSession(SHIPPED_MODEL).run(pixels[None])[0])


def test_vectors_are_normalised_on_request(tiny_model):
    (embedded,) = embed_images([color(30, 40, 0)], model=tiny_model, normalize=True)

    assert embedded.vector == pytest.approx([0.6, 0.8, 0])


def test_what_is_in_flight_is_bounded(tiny_model):
    taken = []

    def sources():
        for number in itertools.count():
            taken.append(number)
            yield color(number % 256, 0, 0)

    with EmbeddingPool(tiny_model, batch_size=4, n_processes=1) as pool:
        embedded = pool.embed(sources())
        for _ in range(9):
            next(embedded)
        embedded.close()

    assert len(taken) <= 9 + 4 * 4


def test_an_unknown_model_is_refused_before_anything_starts():
    with pytest.raises(UnknownModel):
        next(embed_images([b""], model="nothing"))


def test_a_changed_model_is_refused_before_anything_starts(tiny_model):
    tiny_model.path.write_bytes(tiny_model.path.read_bytes() + b"\0")

    with pytest.raises(UnusableModel, match="was changed"):
        next(embed_images([b""], model=tiny_model))


def test_a_missing_model_is_reported_as_such(tiny_model):
    tiny_model.path.unlink()

    with pytest.raises(UnusableModel, match="There is no file"):
        next(embed_images([b""], model=tiny_model))


@pytest.mark.parametrize("batch_size", [0, -1, 1_000_000])
def test_batch_sizes_have_limits(tiny_model, batch_size):
    with pytest.raises(BadInput, match=r"batch_size must be in \[1, "):
        EmbeddingPool(tiny_model, batch_size=batch_size)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"crash", "Decoding crashed (SIGABRT)."),
        (b"eat", "Decoding needed more than"),
    ],
)
def test_a_decoder_that_dies_costs_its_image_and_not_its_batch(tiny_model, odd_child, bad, reason):
    sources = [color(n, 0, 0) for n in range(10)]
    sources[5] = bad

    embedded = list(embed_images(sources, model=tiny_model, batch_size=4, n_processes=1))

    assert first_values(embedded) == [0, 1, 2, 3, 4, None, 6, 7, 8, 9]
    assert embedded[5].corruption.startswith(reason)


def test_a_decoder_that_hangs_costs_its_image_and_not_its_batch(tiny_model, odd_child, monkeypatch):
    impatient = lambda **settings: ChildSettings(**settings, deadline_s=1.0)  # noqa: E731
    monkeypatch.setattr(pool_module, "ChildSettings", impatient)
    sources = [color(0, 0, 0), b"sleep", color(2, 0, 0)]

    embedded = list(embed_images(sources, model=tiny_model, batch_size=4, n_processes=1))

    assert first_values(embedded) == [0, None, 2]
    assert embedded[1].corruption == "Decoding took longer than 1 s."


def test_frames_come_video_by_video(tmp_path, tiny_model):
    clips = [(write_clip(tmp_path / f"{n}.mp4", n), 0) for n in (3, 9)]

    with EmbeddingPool(tiny_model, batch_size=4, n_processes=2) as pool:
        videos = [list(frames) for frames in pool.embed_frames(clips)]

    assert [[frame.index for frame in video] for video in videos] == [[0, 1, 2], list(range(9))]
    steps = np.diff([frame.vector.mean() for frame in videos[1]])
    # the left half is painted with the number, the right half is constant
    assert steps == pytest.approx(np.full(8, LEVEL_STEP / 2), abs=1.5)
    assert videos[1][5].timestamp_s == pytest.approx(0.5)


def test_frames_before_the_first_wanted_one_are_left_out(tmp_path, tiny_model):
    clip = write_clip(tmp_path / "clip.mp4", 12)

    with EmbeddingPool(tiny_model, batch_size=4, n_processes=1) as pool:
        (frames,) = map(list, pool.embed_frames([(clip, 7)]))

    assert [frame.index for frame in frames] == [7, 8, 9, 10, 11]


def test_a_corrupt_video_raises_and_the_next_one_works(tmp_path, tiny_model):
    (tmp_path / "bad.mp4").write_bytes(b"<html>")
    clip = write_clip(tmp_path / "clip.mp4", 3)

    with EmbeddingPool(tiny_model, n_processes=1) as pool:
        videos = pool.embed_frames([(tmp_path / "bad.mp4", 0), (clip, 0)])
        with pytest.raises(CorruptVideo, match="not a video of a supported type"):
            list(next(videos))
        assert len(list(next(videos))) == 3


def test_a_large_model_runs_in_fewer_processes(tmp_path):
    huge = tmp_path / "huge.onnx"
    huge.touch()
    with huge.open("r+b") as file:
        file.truncate(2**40)

    assert count_processes(replace(SHIPPED_MODEL, path=huge)) == 1
    assert 1 <= count_processes(SHIPPED_MODEL) <= count_cores()


def test_frames_are_examined_with_the_vectors_of_embedding(tmp_path, tiny_model):
    clip = write_clip(tmp_path / "a.mp4", 10)
    with EmbeddingPool(tiny_model, n_processes=1, batch_size=4) as pool:
        *frames, end = pool.examine_frames(clip)
        *later, _ = pool.examine_frames(clip, first=7, sized_as="png")
        (embedded,) = map(list, pool.embed_frames([(clip, 0)]))
    assert (end.n_frames, end.n_promised, end.problem) == (10, 10, None)
    assert [frame.index for frame in frames] == list(range(10))
    for frame, one in zip(frames, embedded, strict=True):
        assert frame.vector.tolist() == one.vector.tolist()
        assert frame.timestamp_s == one.timestamp_s
        assert frame.thumbnail[8:12] == b"WEBP"
        assert "size_in_bytes" not in frame.metadata
    assert len({frame.digest for frame in frames}) == 10
    assert [frame.digest for frame in later] == [frame.digest for frame in frames[7:]]
    assert all(frame.metadata["size_in_bytes"] > 0 for frame in later)


def test_a_video_without_frames_is_not_examined(tmp_path, tiny_model):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    with EmbeddingPool(tiny_model, n_processes=1) as pool, pytest.raises(CorruptVideo):
        list(pool.examine_frames(tmp_path / "bad.mp4"))
