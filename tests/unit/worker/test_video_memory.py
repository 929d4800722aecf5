"""A long video needs no more memory than a short one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from lightly.api.transport import Transport
from lightly.embedding.pool import EmbeddingPool
from lightly.embedding.registry import MODELS_FOLDER_VARIABLE, register_model
from lightly.worker.shards.video_kernel import FrameOptions, VideoSpec, run_video
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.video_files import VideoOpener
from tests.support.tiny_onnx import write_mean_colour_model

#: Seconds of 30 frames; two hours of them take too long for a test, and twenty times are enough.
SHORT_S, LONG_S = 30, 600


def write_video(path: Path, duration_s: int) -> Path:
    """Write a video whose frames all differ."""
    generator = np.random.default_rng(3)
    still = generator.integers(0, 255, (180, 320, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(duration_s * 30):
            frame = av.VideoFrame.from_ndarray(np.roll(still, number, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class MemoryWatch:
    """Notes the most memory that this process and its children have taken together."""

    def __init__(self) -> None:
        self.most_bytes = 0
        self._calls = 0

    def __call__(self) -> None:
        """Look, every now and then."""
        self._calls += 1
        if self._calls % 100 == 0:
            process = psutil.Process()
            family = [process, *process.children(recursive=True)]
            self.most_bytes = max(self.most_bytes, sum(one.memory_info().rss for one in family))


@pytest.mark.long
def test_memory_does_not_grow_with_the_length_of_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MODELS_FOLDER_VARIABLE, str(tmp_path / "models"))
    model = register_model(write_mean_colour_model(tmp_path / "mean-colour.onnx"))
    opener = VideoOpener(Transport("http://127.0.0.1:9", "t"), tmp_path / "s", check=lambda: None)

    def measure(duration_s: int, check: Callable[[], None]) -> int:
        path = write_video(tmp_path / f"{duration_s}.mp4", duration_s)
        spec = VideoSpec(
            InputFile(path.name, str(path)), tmp_path / f"shard-{duration_s}", FrameOptions()
        )
        with EmbeddingPool(model, n_processes=1) as pool:
            return run_video(spec, opener, pool, check=check).n_frames

    short, long = MemoryWatch(), MemoryWatch()
    assert measure(SHORT_S, short) == SHORT_S * 30
    assert measure(LONG_S, long) == LONG_S * 30
    assert long.most_bytes < 1.2 * short.most_bytes
