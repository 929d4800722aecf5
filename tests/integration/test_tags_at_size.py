"""Tags of a dataset with a million samples: what they cost and what they leave alone."""

from __future__ import annotations

import gc
import math
import random
import re
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.db.engine import insert_rows
from lightly.server.db.tables import datasets, samples, users
from lightly.server.tags import selected, service
from tests.support.tagged_datasets import (
    DATABASES,
    TaggedDataset,
    add_dataset,
    pretend_size,
    run_for_module,
)

N_SAMPLES = 1_000_000
N_TAGS = 100
#: What making a tag may take, see the load target for this size.
CREATE_LIMIT_S = 2.0


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server) -> TaggedDataset:
    """A dataset that claims a million samples and has the initial tag."""
    made = add_dataset(server)
    pretend_size(made, N_SAMPLES)
    made.add_initial_tag()
    return made


def make_mask(seed: int) -> str:
    # Dense and without a pattern: nothing for compression to gain.
    return f"{random.Random(seed).getrandbits(N_SAMPLES):#x}"


def add_tags(dataset: TaggedDataset, parent_id: str, count: int) -> list[float]:
    """Make tags and return how long each took in seconds."""
    durations_s = []
    for number in range(count):
        mask = make_mask(number)
        started = time.perf_counter()
        dataset.add_tag(f"tag {number}", mask, parent_id, N_SAMPLES)
        durations_s.append(time.perf_counter() - started)
    return durations_s


@contextmanager
def watch_statements(dataset: TaggedDataset) -> Iterator[list[str]]:
    """Yield a list that fills with the statements on tags and samples that are executed.

    Others do not count: the server's background work asks for jobs now and then.
    """
    statements: list[str] = []
    engine = dataset.server.platform.database.engine

    def note(_connection, _cursor, statement, *_rest) -> None:
        if re.search(r"\b(FROM|INTO|UPDATE) (tags|samples)\b", statement):
            statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def find_owner(dataset: TaggedDataset) -> User:
    with dataset.server.platform.database.read() as connection:
        columns = [users.c.id, users.c.email, users.c.is_admin]
        return User(*connection.execute(sa.select(*columns)).one())


def test_making_a_tag_costs_the_same_however_many_there_are(dataset):
    initial_id = dataset.list_tags()[0]["id"]

    durations_s = add_tags(dataset, initial_id, N_TAGS)
    with watch_statements(dataset) as statements:
        dataset.add_tag("one more", make_mask(-1), initial_id, N_SAMPLES)

    assert max(durations_s) <= CREATE_LIMIT_S
    assert statistics.median(durations_s[-20:]) <= 3 * statistics.median(durations_s[:20])
    # The total, the name, the parent, the links; then the new one.
    assert len(statements) <= 5
    assert not any("samples" in statement for statement in statements)


def test_arithmetics_cost_the_same_however_many_tags_there_are(dataset):
    initial_id = dataset.list_tags()[0]["id"]
    first, second = make_mask(1), make_mask(2)
    body = {
        "tagId1": dataset.add_tag("first", first, initial_id, N_SAMPLES),
        "tagId2": dataset.add_tag("second", second, initial_id, N_SAMPLES),
        "operation": "INTERSECTION",
    }

    def measure() -> tuple[float, str, int]:
        started = time.perf_counter()
        with watch_statements(dataset) as statements:
            response = dataset.client.post(f"{dataset.url}/tags/arithmetics", json=body)
        return time.perf_counter() - started, response.json()["bitMaskData"], len(statements)

    few_s, mask, n_statements = min(measure() for _ in range(5))
    add_tags(dataset, initial_id, N_TAGS - 3)
    many_s, _, n_statements_after = min(measure() for _ in range(5))

    assert mask == f"{int(first, 16) & int(second, 16):#x}"
    assert n_statements_after == n_statements == 2
    assert many_s <= max(3 * few_s, 0.1)


def test_a_list_of_tags_is_whole_and_reads_no_sample(dataset):
    initial_id = dataset.list_tags()[0]["id"]
    add_tags(dataset, initial_id, 20)

    with watch_statements(dataset) as statements:
        tags = dataset.list_tags()

    assert [tag["name"] for tag in tags] == ["initial-tag", *(f"tag {n}" for n in range(20))]
    assert [tag["bitMaskData"] for tag in tags[1:]] == [make_mask(number) for number in range(20)]
    assert len(statements) == 2
    assert not any("samples" in statement for statement in statements)


def test_a_list_of_tags_is_read_in_bounded_memory(dataset, monkeypatch):
    mask_bytes = N_SAMPLES // 8
    add_tags(dataset, dataset.list_tags()[0]["id"], 40)
    monkeypatch.setattr(service, "LIST_CHUNK_BYTES", 4 * mask_bytes)
    owner = find_owner(dataset)

    gc.collect()
    tracemalloc.start()
    count = sum(1 for _ in service.list_tags(dataset.server.platform, owner, dataset.id))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 41
    # Two pieces at a time, the one that is read and the one before it, and some copies.
    assert peak_bytes <= 16 * mask_bytes


def test_an_upsize_of_many_tags_rewrites_no_mask_but_the_initial_one(dataset):
    initial_id = dataset.list_tags()[0]["id"]
    add_tags(dataset, initial_id, 20)
    pretend_size(dataset, N_SAMPLES + 1000)

    body = {"upsizeTagName": "new ones", "upsizeTagCreator": "USER_PIP"}
    with watch_statements(dataset) as statements:
        tag_id = dataset.created(dataset.client.post(f"{dataset.url}/tags/upsize", json=body))

    assert len([text for text in statements if text.startswith("UPDATE tags")]) == 2
    assert dataset.get_tag(tag_id)["bitMaskData"] == f"{((1 << 1000) - 1) << N_SAMPLES:#x}"


def test_scores_of_a_million_samples_come_back(dataset):
    url = f"{dataset.url}/tags/{dataset.list_tags()[0]['id']}/scores"
    sent = [number / 7 for number in range(N_SAMPLES)]

    body = {"scoreType": "margin", "scores": sent}
    score_id = dataset.created(dataset.client.post(url, json=body))

    # Not through the contract's checker, which takes seconds for a million numbers.
    assert dataset.server.client.get(f"{url}/{score_id}").json()["scores"] == sent


@pytest.mark.parametrize(
    "pattern",
    [
        # every sample
        "ff",
        # 0, 3, 6, ... of each eight
        "49",
    ],
)
def test_file_names_of_a_tag_are_read_in_pieces(server, pattern):
    n_samples = 40_000
    dataset = add_dataset(server)
    add_sample_rows(dataset, n_samples)
    mask = "0x" + pattern * (n_samples // 8)
    tag_id = dataset.add_tag("tag", mask, dataset.add_initial_tag(), n_samples)
    expected = [f"{n:08d}.jpg" for n in range(n_samples) if int(pattern, 16) >> n % 8 & 1]

    with watch_statements(dataset) as statements:
        names = dataset.server.client.get(f"{dataset.url}/tags/{tag_id}/filenames").json()

    assert names == expected
    reads = [text for text in statements if "FROM samples" in text]
    assert len(reads) == math.ceil(len(expected) / selected.NAMES_PER_PIECE)


def add_sample_rows(dataset: TaggedDataset, count: int) -> None:
    with dataset.server.platform.database.write() as connection:
        key = connection.execute(
            sa.select(datasets.c.key).where(datasets.c.id == dataset.id)
        ).scalar_one()
        columns = ["dataset_key", "idx", "id", "file_name", "type", "created_at_ms"]
        rows = [(key, n, f"{n:024x}", f"{n:08d}.jpg", "IMAGE", 1) for n in range(count)]
        insert_rows(connection, samples, columns, rows)
    pretend_size(dataset, count)
