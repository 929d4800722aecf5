"""Embedding throughput against the cost of its two kernels, in one run.

    python -m benchmarks.embedding_throughput [--images 4000]

The bound: an image costs the CPU time of the decode kernel (JPEG decoder at the smallest useful
scale, plus the resize) and of ONNX Runtime; n cores cannot embed more than n / (decode + infer)
images a second. The program prints which share of that `embed_folder` reaches with everything
else included: start-up, processes, pipes, file reading, CSV text, durable state. The share in CPU
time says the same without depending on what else the machine does meanwhile.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image
from sklearn.datasets import load_sample_images

from lightly.embedding.pool import DEFAULT_BATCH_SIZE, count_cores
from lightly.embedding.registry import SHIPPED_MODEL
from lightly.embedding.session import EmbeddingSession
from lightly.media.model_input import crop_for_model

SIZE = (1280, 960)
KERNEL_IMAGES = 100
LEAST_SHARE = 0.8
EMBED = (
    "import sys; from lightly.embedding.folders import embed_folder; embed_folder(*sys.argv[1:])"
)


def make_photos(count: int) -> list[bytes]:
    """Crops of two real photos, enlarged, with sensor noise, as 1280x960 JPEGs."""
    rng = np.random.default_rng(0)
    photos = [Image.fromarray(photo) for photo in load_sample_images().images]
    return [make_photo(photos[number % len(photos)], rng) for number in range(count)]


def make_photo(photo: Image.Image, rng: np.random.Generator) -> bytes:
    height = int(rng.integers(240, 420))
    width = height * 4 // 3
    left = int(rng.integers(0, photo.width - width + 1))
    top = int(rng.integers(0, photo.height - height + 1))
    crop = photo.crop((left, top, left + width, top + height)).resize(
        SIZE, Image.Resampling.BICUBIC
    )
    noisy = np.asarray(crop) + rng.normal(0, 3, (SIZE[1], SIZE[0], 3))
    buffer = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def decode(data: bytes) -> np.ndarray:
    side = SHIPPED_MODEL.rule.short_side
    scaled = simplejpeg.decode_jpeg(data, "RGB", min_height=side, min_width=side)
    return crop_for_model(scaled, SHIPPED_MODEL.rule)


def measure_decode(photos: Sequence[bytes]) -> float:
    """CPU seconds per image of the decode kernel."""
    return _cpu_per_call(lambda: [decode(photo) for photo in photos]) / len(photos)


def measure_inference(photos: Sequence[bytes]) -> float:
    """CPU seconds per image of the model, in batches of the default size."""
    session = EmbeddingSession(SHIPPED_MODEL)
    pixels = np.stack([decode(photo) for photo in photos])
    batches = np.array_split(pixels, len(pixels) // DEFAULT_BATCH_SIZE)
    session.run(batches[0])
    return _cpu_per_call(lambda: [session.run(batch) for batch in batches]) / len(photos)


def measure_kernels(photos: Sequence[bytes], n_cores: int) -> tuple[float, float]:
    """Decode and inference, each measured on all cores at once, as they run in the product."""
    with ProcessPoolExecutor(n_cores, mp_context=get_context("spawn")) as pool:
        decodes = list(pool.map(measure_decode, [photos] * n_cores))
        inferences = list(pool.map(measure_inference, [photos] * n_cores))
    return float(np.mean(decodes)), float(np.mean(inferences))


def measure_folder(photos: Sequence[bytes], count: int) -> tuple[float, float]:
    """Wall and CPU seconds per image of `embed_folder` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        images.mkdir()
        for number in range(count):
            (images / f"{number:05}.jpg").write_bytes(photos[number % len(photos)])
        command = [sys.executable, "-c", EMBED, str(images), str(Path(folder) / "embeddings.csv")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(command, check=True)
        wall_s = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall_s / count, cpu_s / count


def _cpu_per_call(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=4_000)
    arguments = parser.parse_args()
    n_cores = count_cores()
    photos = make_photos(KERNEL_IMAGES)
    mean_kb = sum(map(len, photos)) / len(photos) / 1e3
    print(f"{n_cores} cores, {SIZE[0]}x{SIZE[1]} JPEGs of {mean_kb:.0f} kB")

    kernels_before = measure_kernels(photos, n_cores)
    wall_s, cpu_s = measure_folder(photos, arguments.images)
    decode_s, infer_s = np.mean([kernels_before, measure_kernels(photos, n_cores)], axis=0)

    bound = n_cores / (decode_s + infer_s)
    share = 1 / wall_s / bound
    print(f"decode kernel        {decode_s * 1e3:6.2f} ms CPU per image")
    print(f"ONNX Runtime         {infer_s * 1e3:6.2f} ms CPU per image")
    print(f"embed_folder         {cpu_s * 1e3:6.2f} ms CPU per image")
    print(f"share in CPU time    {(decode_s + infer_s) / cpu_s:6.1%}")
    print(f"bound                {bound:6.1f} images/s")
    print(f"embed_folder         {1 / wall_s:6.1f} images/s ({arguments.images} images)")
    verdict = "ok" if share >= LEAST_SHARE else "MISSED"
    print(f"share of the bound   {share:6.1%}  at least {LEAST_SHARE:.0%}  {verdict}")
    if verdict == "MISSED" and os.getloadavg()[0] > n_cores + 1:
        print(f"(other programs were running: load average {os.getloadavg()[0]:.1f})")


if __name__ == "__main__":
    main()
