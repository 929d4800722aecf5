from __future__ import annotations

import subprocess
import sys

import pytest

from lightly.embedding.state import (
    EmbeddingRunFailed,
    EmbeddingState,
    FinishedRow,
    SourceVersion,
)

A = SourceVersion("a.jpg", 10, 1)


def row(source: str = "a.jpg", frame: int = 0, vector: str | None = "1.0,2.0") -> FinishedRow:
    return FinishedRow(source, frame, source, vector, None if vector else "broken")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "embeddings.csv.state"


def test_finished_rows_are_there_at_the_next_start(path):
    with EmbeddingState(path, "digest") as state:
        assert not state.begin(A)
        state.add([row()], ["a.jpg"])

    with EmbeddingState(path, "digest") as state:
        assert state.begin(A)
        assert list(state.rows_of("a.jpg")) == [row()]


def test_a_changed_file_is_done_again(path):
    with EmbeddingState(path, "digest") as state:
        state.begin(A)
        state.add([row()], ["a.jpg"])

        assert not state.begin(SourceVersion("a.jpg", 10, 2))
        assert list(state.rows_of("a.jpg")) == []


def test_another_model_starts_over(path):
    with EmbeddingState(path, "digest") as state:
        state.begin(A)
        state.add([row()], ["a.jpg"])

    with EmbeddingState(path, "other") as state:
        assert not state.begin(A)


def test_clearing_forgets_everything(path):
    with EmbeddingState(path, "digest") as state:
        state.begin(A)
        state.add([row()], ["a.jpg"])
        state.clear()

        assert not state.begin(A)


def test_a_video_goes_on_after_its_last_frame(path):
    with EmbeddingState(path, "digest") as state:
        assert not state.begin(A)
        assert state.next_frame("a.jpg") == 0
        state.set_frame_count("a.jpg", 30)
        state.add([row(frame=0), row(frame=1, vector=None)], [])

    with EmbeddingState(path, "digest") as state:
        assert not state.begin(A)
        assert state.next_frame("a.jpg") == 2
        assert state.frame_count("a.jpg") == 30


def test_two_processes_cannot_share_an_output(path):
    code = (
        "import sys; from pathlib import Path;"
        "from lightly.embedding.state import EmbeddingState;"
        "EmbeddingState(Path(sys.argv[1]), 'digest')"
    )

    with EmbeddingState(path, "digest") as state:
        state.begin(A)
        answer = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True
        )

    assert "Another process is writing" in answer.stderr


def test_a_damaged_state_costs_its_work_and_not_the_run(path):
    path.write_bytes(b"this is no database" * 100)

    with EmbeddingState(path, "digest") as state:
        assert not state.begin(A)


def test_a_full_disk_is_a_clear_error(path):
    with EmbeddingState(path, "digest") as state:
        state.begin(A)
        state._connection.execute("pragma max_page_count = 1")

        with pytest.raises(EmbeddingRunFailed, match="full"):
            state.add([row(vector="1.0," * 100_000)], ["a.jpg"])

        assert not state.begin(A)


def test_a_complete_output_leaves_no_state(path, tmp_path):
    with EmbeddingState(path, "digest") as state:
        state.begin(A)
        state.remove()

    assert list(tmp_path.iterdir()) == []
