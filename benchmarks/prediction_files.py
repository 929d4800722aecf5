"""Reading and checking prediction files, against reading and parsing them alone.

    python -m benchmarks.prediction_files [--files 100000]

Bar: within 2 times. Boxes as detectors write them, eight an image; a tenth as many with masks.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from lightly.data.datasource_files.lightly_folder import LightlyFolder
from lightly.data.datasource_files.prediction_tasks import TaskSchema, TaskType, make_schema

IMAGES_PER_FOLDER = 1_000
BOXES = 8
MASKS = 2
RUNS = 600
MASK_SHARE = 10
REPEATS = 3


def write_files(folder: LightlyFolder, task: str, schema: TaskSchema, count: int) -> None:
    generator = random.Random(0)
    folder.write_task(task, schema)
    for number in range(count):
        name = f"camera_{number // IMAGES_PER_FOLDER:04d}/image_{number:07d}.jpg"
        make = make_masks if schema.task_type == "semantic-segmentation" else make_boxes
        folder.write_predictions(task, name, make(generator))


def make_boxes(generator: random.Random) -> list[dict[str, object]]:
    return [
        {
            "category_id": generator.randrange(80),
            "bbox": [round(generator.uniform(0, 500), 2) for _ in range(4)],
            "score": round(generator.random(), 4),
        }
        for _ in range(BOXES)
    ]


def make_masks(generator: random.Random) -> list[dict[str, object]]:
    masks: list[dict[str, object]] = []
    for number in range(MASKS):
        runs = [generator.randrange(500) for _ in range(RUNS)]
        runs.append(640 * 480 - sum(runs))
        masks.append({"category_id": number, "segmentation": runs, "score": 1.0})
    return masks


def read_alone(root: Path) -> int:
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            if name != "schema.json":
                with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123  a Path would cost more
                    count += len(orjson.loads(file.read())["predictions"])
    return count


def read_checked(folder: LightlyFolder, task: str) -> int:
    return sum(len(read.predictions) for _, read in folder.iterate_predictions(task))


def measure_cpu_s(work: Callable[[], int], expected: int) -> float:
    """Return the shortest of some runs."""
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        assert work() == expected
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    n_files = parser.parse_args().files
    kinds: list[tuple[str, TaskType, int, int]] = [
        ("boxes", "object-detection", n_files, BOXES),
        ("masks", "semantic-segmentation", max(1, n_files // MASK_SHARE), MASKS),
    ]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = LightlyFolder(root)
        for task, type_, count, per_file in kinds:
            write_files(folder, task, make_schema(type_, map(str, range(80))), count)
            alone_s = measure_cpu_s(
                lambda: read_alone(root / ".lightly/predictions" / task),  # noqa: B023  called at once
                count * per_file,
            )
            checked_s = measure_cpu_s(lambda: read_checked(folder, task), count * per_file)  # noqa: B023  called at once
            print(
                f"{count:,} files with {task}: read and parsed {alone_s:.2f} s CPU, read and "
                f"checked {checked_s:.2f} s CPU, {checked_s / alone_s:.2f}x (bar 2x)"
            )


if __name__ == "__main__":
    main()
