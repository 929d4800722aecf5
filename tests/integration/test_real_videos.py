"""Videos from cameras and studios: as many frames as they are known to have, and these in order."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from lightly.data.video_frames import list_frames, read_frames
from lightly.media.frames import FrameReader, index_frames, iterate_frames
from tests.support.real_videos import REAL_VIDEOS, RealVideo, find_real_video


@pytest.fixture(params=REAL_VIDEOS, ids=lambda video: video.name)
def video(request) -> RealVideo:
    return request.param


@pytest.fixture
def path(video) -> Path:
    return find_real_video(video)


def test_every_frame_is_counted_once(video, path):
    with av.open(str(path)) as container:
        n_plain = sum(1 for _ in container.decode(video=0))

    assert len(index_frames(path)) == n_plain == video.n_frames


def test_frames_and_times_are_those_of_a_plain_loop(video, path):
    with av.open(str(path)) as container:
        frames = zip(container.decode(video=0), iterate_frames(path), strict=True)
        for plain, ours in frames:
            assert ours.timestamp_s == pytest.approx(plain.time)
            assert np.array_equal(ours.pixels, plain.to_ndarray(format="rgb24"))
            assert ours.pixels.shape == (video.size[1], video.size[0], 3)


def test_frames_by_name_are_those_of_their_number(video, path):
    wanted = (0, 41, video.n_frames - 1)
    names = [frame.name for frame in list_frames(path.parent, [video.name])]
    stem, extension = video.name.rsplit(".", 1)
    in_order = {n: f.pixels for n, f in enumerate(iterate_frames(path)) if n in wanted}

    found = dict(read_frames(path.parent, [names[index] for index in wanted]))

    assert names[41] == f"{stem}-041-{extension}.png"
    for index in wanted:
        assert np.array_equal(np.asarray(found[names[index]]), in_order[index])


def test_jumping_gives_the_frames_of_reading_on(video, path):
    wanted = [video.n_frames - 1, 7, 60, 61, 3]
    in_order = {n: f.pixels for n, f in enumerate(iterate_frames(path)) if n in set(wanted)}

    with FrameReader(path) as reader:
        for index in wanted:
            assert np.array_equal(reader.read(index).pixels, in_order[index])
