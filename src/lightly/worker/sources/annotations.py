"""Metadata and predictions that users put beside their images, kept on disk by image.

Files are checked once, as they are read. One that breaks a rule is left out and told in the log:
its image counts as one without predictions, or with the default values. A task whose files are all
broken ends the run, since nobody wants a selection that ignores what it was asked to balance.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.metadata_files import (
    MetadataEntry,
    list_default_values,
    parse_metadata,
    parse_metadata_schema,
    read_values,
)
from lightly.data.datasource_files.names import (
    METADATA_FOLDER,
    METADATA_SCHEMA_FILE,
    PREDICTIONS_FOLDER,
    SCHEMA_NAME,
    TASKS_FILE,
    cut_extension,
    name_task_schema,
)
from lightly.data.datasource_files.prediction_files import Prediction, parse_predictions
from lightly.data.datasource_files.prediction_tasks import TaskSchema, parse_schema, parse_tasks
from lightly.media.listing import parse_frame_name
from lightly.worker.errors import RunFailed
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.reading import FileContent, FileReader

log = logging.getLogger("lightly.worker")

_ROWS_PER_INSERT = 1_000
#: Broken files that are told one by one; the others are counted.
_TOLD_FILES = 20
_METADATA = ""
_VIDEO = "video"
#: Videos whose metadata are kept at hand; frames come video by video.
_VIDEOS_IN_MEMORY = 64


class Annotations:
    """Metadata and predictions of one run.

    Args:
        path: The file to keep them in.
        are_frames: Whether images are frames of videos: what the file of a video holds is true of
            all its frames, and what the file of a frame holds stands above that.

    Attributes:
        metadata_schema: What values there are; empty without metadata.
        tasks: The prediction tasks by name.
        unstored_tasks: Those whose predictions steer the run, but are not stored in the dataset.
    """

    def __init__(self, path: Path, *, are_frames: bool = False) -> None:
        self._are_frames = are_frames
        self._find_of_video = lru_cache(_VIDEOS_IN_MEMORY)(self._load_of_video)
        for suffix in ("", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(
            "CREATE TABLE contents (task TEXT, stem TEXT, content TEXT, PRIMARY KEY (task, stem))"
            " WITHOUT ROWID"
        )
        self.metadata_schema: tuple[MetadataEntry, ...] = ()
        self.tasks: dict[str, TaskSchema] = {}
        self.unstored_tasks: set[str] = set()

    @property
    def stored_tasks(self) -> dict[str, TaskSchema]:
        """The prediction tasks that the dataset gets, by name."""
        return {name: one for name, one in self.tasks.items() if name not in self.unstored_tasks}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def read_metadata(
        self, reader: FileReader, schema_url: str, files: Iterable[tuple[str, str]]
    ) -> int:
        """Take in all files with metadata; return how many there are.

        Args:
            reader: Reads files.
            schema_url: Where the schema is; nothing is read when there is none.
            files: Name and URL of each file below `.lightly/metadata/`.

        Raises:
            FileInvalid: If the schema breaks a rule.
            RunFailed: If all files do.
        """
        (schema,) = reader.read([InputFile(METADATA_SCHEMA_FILE, schema_url)])
        if schema.data is None:
            return 0
        self.metadata_schema = parse_metadata_schema(schema.data)

        def parse(content: bytes, file: str, stem: str) -> Any:
            found = parse_metadata(content, self.metadata_schema, file, stem=stem)
            return {"content": found.content, "values": found.values, "subject": found.subject}

        wanted = ((name, url) for name, url in files if name != METADATA_SCHEMA_FILE)
        return self._take(_METADATA, METADATA_FOLDER, reader, wanted, parse)

    def read_tasks(self, reader: FileReader, tasks_url: str) -> list[str]:
        """Return the names of the prediction tasks; none when there is no list of them."""
        (content,) = reader.read([InputFile(TASKS_FILE, tasks_url)])
        return [] if content.data is None else parse_tasks(content.data)

    def read_predictions(
        self, task: str, reader: FileReader, schema_url: str, files: Iterable[tuple[str, str]]
    ) -> int:
        """Take in all files with predictions of a task; return how many there are.

        Args:
            task: Its name.
            reader: Reads files.
            schema_url: Where its schema is.
            files: Name and URL of each file of the task.

        Raises:
            FileInvalid: If the schema is missing or breaks a rule.
            RunFailed: If all files do.
        """
        place = name_task_schema(task)
        (schema,) = reader.read([InputFile(place, schema_url)])
        if schema.data is None:
            raise FileInvalid(place, "", "is not there", "Write it, or drop the task.")
        self.tasks[task] = found = parse_schema(schema.data, place)

        def parse(content: bytes, file: str, stem: str) -> Any:
            return parse_predictions(content, found, file, stem=stem).predictions

        folder = f"{PREDICTIONS_FOLDER}{task}/"
        wanted = ((name, url) for name, url in files if name != folder + SCHEMA_NAME)
        return self._take(task, folder, reader, wanted, parse)

    def add_predictions(
        self, task: str, schema: TaskSchema, images: Iterable[tuple[str, list[Prediction]]]
    ) -> None:
        """Take in predictions that come from no file.

        Args:
            task: Its name; one that there is already is replaced.
            schema: Of the task.
            images: File name and predictions.
        """
        self.tasks[task] = schema
        rows: list[tuple[str, str, str]] = []
        for name, predictions in images:
            rows.append((task, cut_extension(name), json.dumps(predictions)))
            if len(rows) >= _ROWS_PER_INSERT:
                self._insert(rows)
        self._insert(rows)

    def find_metadata(self, file_name: str) -> dict[str, Any] | None:
        """Return everything in the metadata file of an image; None without one."""
        found = self._find_all_metadata(file_name)
        return None if found is None else dict(found["content"])

    def find_predictions(self, task: str, file_name: str) -> list[Prediction]:
        """Return the predictions of a task for an image; none without a file."""
        found: list[Prediction] | None = self._find(task, file_name)
        return found or []

    def has_predictions(self, task: str, file_name: str) -> bool:
        """Tell whether a task was applied to an image, even if it found nothing in it."""
        query = "SELECT 1 FROM contents WHERE task = ? AND stem = ?"
        row = self._connection.execute(query, (task, cut_extension(file_name))).fetchone()
        return row is not None

    def find_metadata_values(self, file_name: str) -> dict[str, Any]:
        """Return the values of the schema for an image by path, defaults where it has none."""
        found = self._find_all_metadata(file_name)
        return list_default_values(self.metadata_schema) if found is None else dict(found["values"])

    def _find_all_metadata(self, file_name: str) -> Any:
        """Return content and values of an image, of a frame also what is true of its video."""
        own = self._find(_METADATA, file_name)
        if not self._are_frames:
            return own
        video, _ = parse_frame_name(file_name)
        shared = self._find_of_video(video)
        if own is None or shared is None:
            return own or shared
        content = _merge(shared["content"], own["content"])
        return {"content": content, "values": read_values(content, self.metadata_schema, file_name)}

    def _load_of_video(self, video: str) -> Any:
        found = self._find(_METADATA, video)
        return None if found is None or found["subject"] not in {None, _VIDEO} else found

    def _find(self, task: str, file_name: str) -> Any:
        query = "SELECT content FROM contents WHERE task = ? AND stem = ?"
        row = self._connection.execute(query, (task, cut_extension(file_name))).fetchone()
        return None if row is None else json.loads(row[0])

    def _take(
        self,
        task: str,
        folder: str,
        reader: FileReader,
        files: Iterable[tuple[str, str]],
        parse: Callable[[bytes, str, str], Any],
    ) -> int:
        rows: list[tuple[str, str, str]] = []
        problems: list[str] = []
        n_read = n_bad = 0
        for content in reader.read(InputFile(name, url) for name, url in files):
            name = content.file.name
            stem = cut_extension(name.removeprefix(folder))
            n_read += 1
            try:
                rows.append((task, stem, json.dumps(parse(_get_data(content), name, stem))))
            except FileInvalid as error:
                n_bad += 1
                if n_bad <= _TOLD_FILES:
                    problems.append(str(error))
            if len(rows) >= _ROWS_PER_INSERT:
                self._insert(rows)
        self._insert(rows)
        _tell_problems(folder, problems, n_bad, n_read)
        return n_read - n_bad

    def _insert(self, rows: list[tuple[str, str, str]]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", rows)
        self._connection.execute("COMMIT")
        rows.clear()


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two objects as one; where both have a value, the one above counts."""
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            merged[key] = _merge(below[key], above[key])
    return merged


def _get_data(content: FileContent) -> bytes:
    if content.data is None:
        raise FileInvalid(content.file.name, "", content.problem or "cannot be read")
    return content.data


def _tell_problems(folder: str, problems: Sequence[str], n_bad: int, n_read: int) -> None:
    for problem in problems:
        log.warning("Left out: %s", problem)
    if n_bad > len(problems):
        log.warning("%d more files below %s are left out.", n_bad - len(problems), folder)
    if n_bad and n_bad == n_read:
        raise RunFailed(f"All {n_bad} files below {folder} break a rule. The first: {problems[0]}")
