"""Reading embeddings CSVs: what is taken, what is refused and with which words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lightly.server.embeddings import csv_file, matching
from lightly.server.embeddings import repository as embeddings
from lightly.server.embeddings.models import Projection
from lightly.server.jobs import repository as jobs
from lightly.server.jobs.run_task import make_order
from lightly.server.jobs.task import ClaimLost
from tests.conftest import DATABASES
from tests.support.embedded_datasets import write_csv
from tests.support.embedding_tasks import make_bench, open_bench

NAMES = ["a.jpg", "folder/b.jpg", "c.jpg"]
VECTORS = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)
GOOD = write_csv(NAMES, VECTORS).decode()


@pytest.fixture(params=DATABASES)
def bench(request, tmp_path, make_server_url):
    with open_bench(tmp_path / "data", make_server_url(request.param), NAMES) as bench:
        yield bench


@pytest.fixture
def sqlite_bench(tmp_path):
    with open_bench(tmp_path / "data", "", NAMES) as bench:
        yield bench


def test_vectors_are_stored_in_sample_order(bench):
    order = [2, 0, 1]

    job = bench.ingest(write_csv([NAMES[i] for i in order], VECTORS[order]))

    assert job.status == "FINISHED"
    assert bench.read_vectors().tolist() == VECTORS.tolist()
    embedding = bench.find_embedding()
    assert (embedding.state, embedding.n_rows, embedding.dimension) == ("READY", 3, 2)


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        # line ends of another system
        GOOD.replace("\n", "\r\n"),
        # no line end after the last row
        GOOD.rstrip("\n"),
        # a byte order mark
        "\ufeff" + GOOD,
        # everything quoted
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in GOOD.split()),
        # other spellings of the same numbers
        GOOD.replace("1.0", "1e0").replace("2.0", "+2").replace("3.0", " 3.00 "),
        # columns that old clients keep in local files
        (
            "filenames,embedding_0,masked,embedding_1,selected,labels\n"
            "a.jpg,1,0,2,1,0\nfolder/b.jpg,3,0,4,1,-1\nc.jpg,5,0,6,1,9\n"
        ),
        # labels elsewhere, columns with gaps in their numbers
        "filenames,labels,embedding_7,embedding_3\na.jpg,0,1,2\nfolder/b.jpg,0,3,4\nc.jpg,0,5,6\n",
    ],
)
def test_all_forms_of_the_csv_are_read(sqlite_bench, content):
    job = sqlite_bench.ingest(content.encode())

    assert (job.status, job.error) == ("FINISHED", None)
    assert sqlite_bench.read_vectors().tolist() == VECTORS.tolist()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        # the header
        ("", "The CSV is empty. Its first line must name the columns."),
        ("\n", "The CSV is empty. Its first line must name the columns."),
        ("names,embedding_0,labels\n", "The first column must be 'filenames', got 'names'."),
        (" filenames,embedding_0,labels\n", "must be 'filenames', got ' filenames'."),
        ("filenames,embedding_0\n", "The header must have a column 'labels'."),
        ("filenames,labels\n", "The header must have 1 to 16384 embedding columns, got 0."),
        ("filenames,embedding_0,embedding_0,labels\n", "'embedding_0' more than once."),
        ("filenames,embedding 0,labels\n", "The header has the column 'embedding 0'."),
        ("filenames,embedding_0,labels,score\n", "The header has the column 'score'."),
        # rows
        (GOOD.replace("c.jpg", "\nc.jpg"), "Row 3 is empty. Remove empty rows."),
        (GOOD + "\n", "Row 4 is empty. Remove empty rows."),
        (GOOD.replace("5.0,", ""), "Row 3 ('c.jpg') has 3 values, but the header names 4 columns."),
        (GOOD.replace("5.0", "5.0,7"), "Row 3 ('c.jpg') has 5 values"),
        # numbers
        (
            GOOD.replace("4.0", "four"),
            (
                "Row 2 ('folder/b.jpg'), column 'embedding_1': the value must be a finite number, "
                "got 'four'."
            ),
        ),
        (
            GOOD.replace("4.0", ""),
            "column 'embedding_1': the value must be a finite number, got ''",
        ),
        (GOOD.replace("4.0", "1_0"), "the value must be a finite number, got '1_0'."),
        (
            GOOD.replace("4.0", "nan"),
            (
                "Row 2 ('folder/b.jpg'), column 'embedding_1': the value must be a finite 32-bit "
                "number, got nan."
            ),
        ),
        (GOOD.replace("4.0", "-inf"), "must be a finite 32-bit number, got -inf."),
        (GOOD.replace("4.0", "1e39"), "must be a finite 32-bit number, got inf."),
        # labels
        (
            GOOD.replace("6.0,0", "6.0,1.5"),
            "Row 3 ('c.jpg'), column 'labels': labels must be integers, got '1.5'.",
        ),
        (GOOD.replace("6.0,0", "6.0,"), "column 'labels': labels must be integers, got ''."),
        # names
        (
            GOOD.replace("c.jpg", "d.jpg"),
            "Row 3: the dataset has no sample 'd.jpg'.",
        ),
        (GOOD.replace("c.jpg", "C.jpg"), "Row 3: the dataset has no sample 'C.jpg'."),
        (GOOD.replace("c.jpg", "a.jpg"), "Row 3: the sample 'a.jpg' has a row already."),
        (GOOD + "a.jpg,1,2,0\n", "Row 4: the sample 'a.jpg' has a row already."),
        (GOOD.replace("c.jpg", "c\x00.jpg"), "Row 3: the dataset has no sample 'c\\x00.jpg'."),
        (GOOD.replace("c.jpg", '"c\n.jpg"'), "the dataset has no sample 'c\\n.jpg'"),
        (GOOD.replace("c.jpg", "x" * 10_000), f"no sample '{'x' * 60}...'"),
        (
            "".join(GOOD.splitlines(keepends=True)[:2]),
            "The CSV has no row for 2 of the 3 samples of the dataset: 'folder/b.jpg', 'c.jpg'",
        ),
        (
            "filenames,embedding_0,labels\n",
            (
                "The CSV has no row for 3 of the 3 samples of the dataset: 'a.jpg', "
                "'folder/b.jpg', 'c.jpg'"
            ),
        ),
        # no text
        (GOOD.encode().replace(b"c.jpg", b"c\xff.jpg"), "The CSV is not UTF-8, at row"),
        (b"\xff\xfe" + GOOD.encode("utf-16-le"), "is not one line of comma-separated UTF-8."),
        # line ends of a system long gone
        (GOOD.replace("\n", "\r"), "The header"),
    ],
)
def test_a_refused_csv_names_row_column_value_and_rule(sqlite_bench, content, error):
    job = sqlite_bench.ingest(content if isinstance(content, bytes) else content.encode())

    assert job.status == "FAILED"
    assert error in job.error
    embedding = sqlite_bench.find_embedding()
    assert (embedding.state, embedding.error) == ("FAILED", job.error)
    assert sqlite_bench.list_blobs() == ["embeddings.csv"]


def test_a_name_with_a_nul_is_refused_whatever_the_database(bench):
    job = bench.ingest(GOOD.replace("c.jpg", "c\x00.jpg").encode())

    assert "the dataset has no sample" in job.error


@pytest.fixture
def small_pieces(monkeypatch):
    """Parse and look up a few rows at a time, so that short files have many pieces."""
    monkeypatch.setattr(csv_file, "MAX_ROW_BYTES", 128)
    monkeypatch.setattr(csv_file, "CHUNK_BYTES", 200)
    monkeypatch.setattr(matching, "_NAMES_AT_ONCE", 7)


@pytest.mark.parametrize("shuffles", [False, True])
def test_pieces_fit_together(small_pieces, tmp_path, shuffles):
    generator = np.random.default_rng(0)
    names = [f"folder/é {number}.jpg" for number in range(500)]
    vectors = generator.standard_normal((500, 3)).astype(np.float32)
    order = generator.permutation(500) if shuffles else np.arange(500)
    content = write_csv([names[i] for i in order], vectors[order])

    with open_bench(tmp_path / "data", "", names) as bench:
        job = bench.ingest(content)

        assert (job.status, job.error) == ("FINISHED", None)
        assert np.array_equal(bench.read_vectors(), vectors)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        # within a later piece, good rows before it
        (400, "Row 400 ('bird 399.jpg'), column 'embedding_1'"),
        (1, "Row 1 ('bird 0.jpg'), column 'embedding_1'"),
        (500, "Row 500 ('bird 499.jpg'), column 'embedding_1'"),
    ],
)
def test_rows_are_counted_through_all_pieces(small_pieces, tmp_path, number, expected):
    names = [f"bird {n}.jpg" for n in range(500)]
    lines = write_csv(names, np.ones((500, 2))).decode().splitlines()
    lines[number] = lines[number].replace(",1.0,0", ",x,0")

    with open_bench(tmp_path / "data", "", names) as bench:
        assert expected in bench.ingest("\n".join(lines).encode()).error


def test_a_row_longer_than_any_model_needs_is_refused(sqlite_bench):
    content = GOOD.encode() + b"x" * (2 * csv_file.CHUNK_BYTES)

    job = sqlite_bench.ingest(content)

    assert "A row of the CSV has more than 1048576 bytes" in job.error


@given(
    st.lists(
        st.floats(-3e38, 3e38, allow_nan=False, width=64)
        | st.floats(width=32, allow_nan=False, allow_infinity=False),
        min_size=1,
        max_size=20,
    )
)
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_numbers_are_the_nearest_32_bit_ones(sqlite_bench, numbers):
    columns = ",".join(f"embedding_{i}" for i in range(len(numbers)))
    row = ",".join(map(repr, numbers))
    content = f"filenames,{columns},labels\n" + "".join(f"{name},{row},0\n" for name in NAMES)

    sqlite_bench.ingest(content.encode())

    assert np.array_equal(sqlite_bench.read_vectors()[0], np.array(numbers).astype(np.float32))


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")), min_size=1, unique=True
    )
)
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_name_finds_its_sample(sqlite_bench, names):
    """Formulas, commas and quotes are names like any other."""
    bench = make_bench(sqlite_bench.platform, names)
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    vectors = np.arange(len(names), dtype=np.float32)[:, None]

    job = bench.ingest(write_csv(quoted[::-1], vectors[::-1]))

    assert (job.status, job.error) == ("FINISHED", None)
    assert bench.read_vectors().tolist() == vectors.tolist()


def test_rows_in_sample_order_need_few_queries(tmp_path):
    names = [f"bird {number}.jpg" for number in range(25_000)]
    content = write_csv(names, np.ones((25_000, 1)))
    with open_bench(tmp_path / "data", "", names) as bench:
        statements = []
        engine = bench.platform.database.engine
        sa.event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

        assert bench.ingest(content).status == "FINISHED"

    assert 1 <= sum("file_name" in statement for statement in statements) <= 3


def test_a_newer_csv_replaces_the_vectors_and_the_old_ones_go(bench):
    bench.ingest(GOOD.encode())

    job = bench.ingest(write_csv(NAMES, -VECTORS))

    assert job.status == "FINISHED"
    assert bench.read_vectors().tolist() == (-VECTORS).tolist()
    assert [name for name in bench.list_blobs() if name.startswith("vectors-")] == [
        f"vectors-{bench.find_embedding().source_etag}.npy"
    ]


def test_a_newer_csv_ends_the_pictures_of_the_older_one_but_not_those_of_clients(bench):
    bench.ingest(GOOD.encode())
    with bench.platform.database.write() as connection:
        for name in ("e__2d", "mine"):
            projection = Projection(name * 4, bench.embedding_id, name, "UMAP", 0, b"")
            embeddings.put_projection(connection, projection)

    bench.ingest(write_csv(NAMES, -VECTORS))

    with bench.platform.database.read() as connection:
        left = embeddings.list_projections(connection, bench.embedding_id)
    assert [projection.name for projection in left] == ["mine"]


def test_reading_the_same_csv_again_changes_nothing(bench):
    bench.ingest(GOOD.encode())
    before = bench.find_embedding()

    job = bench.run(bench.claim())

    assert (job.status, bench.find_embedding()) == ("FINISHED", before)


def test_the_quick_projection_is_asked_for_in_the_same_transaction(bench):
    bench.ingest(GOOD.encode())

    with bench.platform.database.read() as connection:
        [owed] = jobs.list_owed(connection, 10, 10)

    assert (owed.kind, '"PCA"' in owed.input_json) == ("EMBEDDINGS2D", True)


def test_a_deleted_embedding_fails_the_job_and_leaves_no_vectors(bench, monkeypatch):
    task = bench.claim()
    bench.put_csv(GOOD.encode())

    def delete(place):
        if place == "ingest.before_commit":
            with bench.platform.database.write() as connection:
                embeddings.delete_embedding(connection, bench.embedding_id)

    monkeypatch.setattr("lightly.server.embeddings.ingest_task.reach", delete)
    job = bench.run(task)

    assert (job.status, job.error) == ("FAILED", "The embedding was deleted.")
    assert bench.list_blobs() == ["embeddings.csv"]


def test_an_attempt_whose_claim_was_lost_changes_nothing(bench):
    bench.put_csv(GOOD.encode())
    late = bench.claim()
    with bench.platform.database.write() as connection:
        jobs.claim_job(connection, late.job_id, "0" * 24, 0)

    with pytest.raises(ClaimLost):
        bench.run(late)

    assert bench.find_embedding().state == "WAITING"
    assert bench.find_job(late.job_id).status == "RUNNING"


def measure_peak_kb(bench, csv):
    """Return the peak memory of the process that reads a CSV."""
    bench.put_csv(csv)
    task = bench.claim()
    order = make_order(bench.platform.settings, task.job_id, task.claim_token).write()
    command = [sys.executable, "-m", "lightly.server.jobs.run_task"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(order)
        process.stdin.flush()
        assert process.stdout.readline() == b"0\n"
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.kill()
    assert bench.find_job(task.job_id).status == "FINISHED"
    return int(status.split("VmHWM:")[1].split()[0])


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Four times the rows: 30 and 120 MB of text."""
    row = ",".join(["0.12345678"] * 100)
    header = "filenames," + ",".join(f"embedding_{i}" for i in range(100)) + ",labels\n"
    peaks = []
    for n_rows in (25_000, 100_000):
        names = [f"bird {number}.jpg" for number in range(n_rows)]
        csv = (header + "".join(f"{name},{row},0\n" for name in names)).encode()
        with open_bench(tmp_path / f"data{n_rows}", "", names) as bench:
            peaks.append(measure_peak_kb(bench, csv))

    # Caches fill up; holding the text or its numbers would cost 90 MB or more.
    assert peaks[1] - peaks[0] < 50_000
