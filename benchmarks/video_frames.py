"""Frames of a video, against a plain loop of PyAV that decodes and converts each one.

    python -m benchmarks.video_frames [--frames 300]

Printed: CPU time of reading all frames in this process, of reading them by name from a decoding
process, of counting, and of reading a tenth of them; each as a ratio.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from lightly.media.frames import count_frames, iterate_frames, iterate_selected
from lightly.media.sandbox import DecodePool

SIZE = (1280, 720)
REPEATS = 3


def write_video(path: Path, n_frames: int) -> None:
    """Write a camera's pan over a noisy picture, in H.264."""
    width, height = SIZE
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: height + n_frames, : width + n_frames]
    scene = (127 + 80 * np.sin(rows / 37) * np.cos(columns / 53))[..., None]
    scene = np.clip(scene + rng.normal(0, 12, (*scene.shape[:2], 3)), 0, 255).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(n_frames):
            pixels = np.ascontiguousarray(scene[number:, number:][:height, :width])
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def decode_plainly(path: Path, *, is_converted: bool) -> int:
    count = 0
    reformatter = VideoReformatter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            if is_converted:
                reformatter.reformat(frame, format="rgb24").to_ndarray()
            count += 1
    return count


def read_here(path: Path) -> int:
    return sum(frame is not None for frame in iterate_frames(path))


def read_some(path: Path, n_frames: int) -> int:
    return sum(frame is not None for frame in iterate_selected(path, range(0, n_frames, 10)))


def read_from_process(path: Path, n_frames: int) -> int:
    with DecodePool(1) as pool:
        return sum(1 for frames in pool.read_frames([(path, range(n_frames))]) for _ in frames)


def measure_cpu_s(work: Callable[[], int]) -> float:
    """Return the least CPU seconds of some runs, child processes included."""
    runs = []
    for _ in range(REPEATS):
        before = os.times()
        work()
        runs.append(sum(os.times()[:4]) - sum(before[:4]))
    return min(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    n_frames = parser.parse_args().frames
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pan.mp4"
        write_video(path, n_frames)
        what = f"{n_frames} frames of {SIZE[0]}x{SIZE[1]}, {path.stat().st_size / 1e6:.1f} MB"
        converted_s = measure_cpu_s(lambda: decode_plainly(path, is_converted=True))
        decoded_s = measure_cpu_s(lambda: decode_plainly(path, is_converted=False))
        print(f"plain PyAV, {what}: {converted_s:.2f} s CPU, {decoded_s:.2f} s without conversion")
        for name, floor_s, work in (
            ("iterate_frames", converted_s, lambda: read_here(path)),
            ("by name, from a process", converted_s, lambda: read_from_process(path, n_frames)),
            ("count_frames, without conversion", decoded_s, lambda: count_frames(path)),
            ("every tenth frame", converted_s, lambda: read_some(path, n_frames)),
        ):
            taken_s = measure_cpu_s(work)
            per_frame_ms = taken_s / n_frames * 1e3
            print(f"{name}: {taken_s:.2f} s CPU, {per_frame_ms:.1f} ms a frame,", end=" ")
            print(f"{taken_s / floor_s:.2f}x")
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"peak memory, the whole benchmark in it: {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
