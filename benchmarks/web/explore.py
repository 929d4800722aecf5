"""Exploring a million samples in a real browser, drawn by software.

    python -m benchmarks.web.explore [--rows 1000000]

Bars: first cells after 2 s, the map after 4 s, a lasso to the updated grid 0.3 s, a filter to the
updated count 0.3 s, 90 kB of scripts (gzip) for the first page, 150 MB of heap, records of 100
samples 15 ms. Set TMPDIR to a folder in memory to leave the disk out of it.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import orjson
import requests
from playwright.sync_api import Page

from benchmarks._sample_rows import create_dataset, run_server
from lightly._kit.ids import make_id
from lightly.server.db.engine import open_database
from lightly.server.embeddings import repository as embeddings_repository
from lightly.server.embeddings.coordinates import pack_coordinates
from lightly.server.embeddings.models import Embedding, EmbeddingState, Projection
from lightly.server.samples.models import NewSample, SampleContents
from lightly.server.samples.repository import append_samples, update_counts
from lightly.server.web.files import STATIC_DIR
from tests.support.browsers import open_page, run_browser
from tests.support.platforms import ServerProcess

BATCH_ROWS = 50_000
N_CLASSES = 20
CELLS_S, MAP_S, LASSO_S, FILTER_S = 2.0, 4.0, 0.3, 0.3
SCRIPT_BYTES, HEAP_MB, RECORDS_S = 90_000, 150.0, 0.015

_COUNT = ".chips .count strong"
_misses: list[str] = []


def judge(what: str, value: float, limit: float, unit: str) -> None:
    """Print a figure beside its bar."""
    is_met = value <= limit
    print(
        f"{what}: {value:.3g}{unit} (bar {limit:g}{unit}){'' if is_met else ' MISSED'}", flush=True
    )
    if not is_met:
        _misses.append(what)


def fill(server: ServerProcess, count: int) -> None:
    """Write samples with metadata, and clusters as their map, beside the running server."""
    generator = np.random.default_rng(0)
    classes = generator.integers(0, N_CLASSES, count)
    centres = generator.normal(0, 4, (N_CLASSES, 2))
    points = (centres[classes] + generator.normal(0, 0.6, (count, 2))).astype(np.float32)
    sharpness = generator.beta(3, 4, count)
    database = open_database(f"sqlite:///{server.data_dir / 'lightly.sqlite'}")
    for start in range(0, count, BATCH_ROWS):
        stop = min(start + BATCH_ROWS, count)
        new = [
            NewSample(
                f"camera/image_{n:07d}.jpg",
                SampleContents(
                    metadata_json=orjson.dumps({"sharpness": float(sharpness[n])}).decode(),
                    custom_metadata_json=orjson.dumps(
                        {"class": f"class_{classes[n]:02d}", "speed": n % 97}
                    ).decode(),
                ),
            )
            for n in range(start, stop)
        ]
        with database.write() as connection:
            append_samples(connection, 1, start, new, 1)
            update_counts(connection, 1, 1, n_samples=stop, size_bytes=stop)
    embedding = Embedding(make_id(), 1, "default", EmbeddingState.READY, None, count, 2, None, 1)
    projection = Projection(make_id(), embedding.id, "map", "UMAP", 1, pack_coordinates(points))
    with database.write() as connection:
        embeddings_repository.insert_embedding(connection, embedding)
        embeddings_repository.put_projection(connection, projection)
    database.close()


def time_until_changed(page: Page, act: Callable[[], object]) -> float:
    """Return how long it takes from an action until the page shows another number of samples."""
    before = page.locator(_COUNT).inner_text()
    started = time.perf_counter()
    act()
    page.wait_for_selector(f'{_COUNT}:not(:text-is("{before}"))')
    return time.perf_counter() - started


def measure_records(
    server: ServerProcess, session: requests.Session, dataset_id: str, count: int
) -> None:
    """Measure what a screen of the grid asks for."""
    url = f"{server.url}/ext/v1/datasets/{dataset_id}/samples/records"
    taken = []
    for start in range(0, count, max(1, count // 30)):
        body = {"indices": list(range(start, min(start + 100, count)))}
        started = time.perf_counter()
        session.post(url, json=body).raise_for_status()
        taken.append(time.perf_counter() - started)
    judge("records of 100 samples", statistics.median(taken), RECORDS_S, " s")


def draw_lasso(page: Page) -> float:
    """Draw a lasso around most of the map; return the seconds from its end to the new count."""
    box = page.locator(".pad").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for step in range(60):
        angle = step * 2 * math.pi / 60
        x = middle[0] + math.cos(angle) * box["width"] * 0.3
        y = middle[1] + math.sin(angle) * box["height"] * 0.3
        page.mouse.move(x, y)
        if step == 0:
            page.mouse.down()
    return time_until_changed(page, page.mouse.up)


def measure_page(page: Page, dataset_id: str) -> None:
    """Measure the explore page as somebody meets it."""
    started = time.perf_counter()
    page.goto(f"/datasets/{dataset_id}/explore", wait_until="commit")
    page.wait_for_selector(".cell[aria-label*=image]")
    judge("first cells", time.perf_counter() - started, CELLS_S, " s")
    page.wait_for_selector("[data-drawn=whole]")
    judge("map drawn", time.perf_counter() - started, MAP_S, " s")
    page.wait_for_selector(".histogram", timeout=180_000)
    print(f"histograms: {time.perf_counter() - started:.1f} s", flush=True)
    page.keyboard.press("l")
    judge("lasso to updated count", draw_lasso(page), LASSO_S, " s")
    page.wait_for_timeout(1_500)
    page.get_by_role("button", name="Remove lasso").click()
    page.wait_for_timeout(1_500)
    bar = page.locator(".bars button").first
    judge("filter to updated count", time_until_changed(page, bar.click), FILTER_S, " s")
    heap: float = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
    judge("heap", heap, HEAP_MB, " MB")


def main() -> int:
    """Fill a server and look at it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    first = sum(path.stat().st_size for path in (STATIC_DIR / "assets").glob("index-*.js.gz"))
    judge("scripts of the first page", first, SCRIPT_BYTES, " B")
    with run_server() as (server, session), run_browser() as browser:
        dataset_id = create_dataset(server, session, "large")
        started = time.perf_counter()
        fill(server, arguments.rows)
        print(f"filled in {time.perf_counter() - started:.0f} s", flush=True)
        measure_records(server, session, dataset_id, arguments.rows)
        watched = open_page(browser, server.url)
        watched.page.goto("/login")
        watched.page.fill("input[name=token]", server.token)
        watched.page.keyboard.press("Enter")
        watched.page.wait_for_selector("header .brand")
        for name in ("first visit", "second visit"):
            print(f"-- {name}", flush=True)
            measure_page(watched.page, dataset_id)
        watched.shoot("explore-1m")
    print(f"missed: {', '.join(_misses) or 'none'}")
    return bool(_misses)


if __name__ == "__main__":
    sys.exit(main())
