"""The columns of datasets that somebody looks at, kept in memory and derived in the background."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from lightly.server.columns.blocks import load_block
from lightly.server.columns.dataset_columns import DatasetColumns
from lightly.server.columns.outlier_values import find_outlier_values
from lightly.server.columns.score_values import find_score_values
from lightly.server.db.engine import Database
from lightly.server.errors import Unavailable
from lightly.server.samples.changes import BLOCK_SAMPLES

log = logging.getLogger("lightly.server.columns")

#: A request waits this long for columns to be derived; then the caller hears how far that is.
WAIT_S = 2.0
#: Datasets whose columns are kept; the one that nobody looked at for the longest goes first.
MAX_DATASETS = 6
_FAILED = "The columns of this dataset could not be derived; the server's log has the reason."


class ColumnsNotReady(Unavailable):
    """The values of the samples are being collected. Ask again in a moment.

    Attributes:
        done: Blocks that are ready.
        total: Of so many.
    """

    retry_after_s = 1

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"The values of the samples are being collected: {done} of {total} parts.")
        self.done = done
        self.total = total


@dataclass(frozen=True)
class DatasetState:
    """Which state of a dataset is asked for.

    Attributes:
        dataset_id: The dataset.
        dataset_key: Likewise.
        n_samples: How many samples it has.
        revisions: By block, see `read_revisions`.
    """

    dataset_id: str
    dataset_key: int
    n_samples: int
    revisions: dict[int, int]

    @property
    def revision(self) -> int:
        """Grows with every change of a sample."""
        return sum(self.revisions.values())

    @property
    def n_blocks(self) -> int:
        """How many blocks the samples make."""
        return -(-self.n_samples // BLOCK_SAMPLES)


@dataclass
class _Build:
    """Columns that are being derived."""

    state: DatasetState
    finished: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    columns: DatasetColumns | None = None


class ColumnStore:
    """Columns by dataset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: OrderedDict[str, DatasetColumns] = OrderedDict()
        self._builds: dict[str, _Build] = {}

    def open(self, database: Database, folder: Path, state: DatasetState) -> DatasetColumns:
        """Return the columns of a dataset in the state that it has.

        Args:
            database: Where the samples are.
            folder: Where derived blocks are kept.
            state: What was just read of the dataset.

        Raises:
            ColumnsNotReady: If that takes longer than a request may wait.
        """
        with self._lock:
            ready = self._ready.get(state.dataset_id)
            if ready is not None and ready.revision >= state.revision:
                self._ready.move_to_end(state.dataset_id)
                return ready
            build = self._builds.get(state.dataset_id)
            if build is None:
                build = self._builds[state.dataset_id] = _Build(state)
                threading.Thread(
                    target=self._run,
                    args=(database, folder / state.dataset_id, build),
                    name="columns",
                    daemon=True,
                ).start()
        if not build.finished.wait(WAIT_S):
            raise ColumnsNotReady(build.done, build.state.n_blocks)
        if build.columns is None:
            raise Unavailable(_FAILED)
        if build.columns.revision < state.revision:
            # It was begun before the change that the caller knows of.
            return self.open(database, folder, state)
        return build.columns

    def _run(self, database: Database, folder: Path, build: _Build) -> None:
        state = build.state
        try:
            blocks: list[pa.Table] = []
            for block in range(state.n_blocks):
                count = min(BLOCK_SAMPLES, state.n_samples - block * BLOCK_SAMPLES)
                revision = state.revisions.get(block, 0)
                blocks.append(
                    load_block(database, folder, state.dataset_key, block, revision, count)
                )
                build.done = block + 1
            about = (database, state.dataset_key, state.n_samples)
            scores = find_score_values(*about) | find_outlier_values(*about)
            columns = DatasetColumns(state.revision, state.n_samples, blocks, scores)
            # Here rather than by the first requests.
            columns.warm()
            build.columns = columns
        except Exception:
            log.exception("cannot derive the columns of dataset %s", state.dataset_id)
        finally:
            with self._lock:
                self._builds.pop(state.dataset_id, None)
                if build.columns is not None:
                    self._ready[state.dataset_id] = build.columns
                    self._ready.move_to_end(state.dataset_id)
                    while len(self._ready) > MAX_DATASETS:
                        self._ready.popitem(last=False)
            build.finished.set()
