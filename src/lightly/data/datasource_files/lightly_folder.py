"""`.lightly/` of a datasource that lies in a folder of this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from lightly._kit.atomic_files import write_atomic
from lightly._kit.safe_paths import check_relative_name, resolve_below
from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.json_files import MAX_JSON_BYTES
from lightly.data.datasource_files.metadata_files import (
    FileMetadata,
    MetadataEntry,
    parse_metadata,
    parse_metadata_schema,
)
from lightly.data.datasource_files.names import (
    METADATA_FOLDER,
    METADATA_SCHEMA_FILE,
    PREDICTIONS_FOLDER,
    SCHEMA_NAME,
    TASKS_FILE,
    cut_extension,
    name_prediction_file,
    name_task_schema,
)
from lightly.data.datasource_files.prediction_files import (
    ImagePredictions,
    Prediction,
    encode_predictions,
    parse_predictions,
)
from lightly.data.datasource_files.prediction_tasks import (
    TaskSchema,
    encode_schema,
    encode_tasks,
    parse_schema,
    parse_tasks,
)

_JSON = ".json"


class LightlyFolder:
    """Reads and writes what lies in `.lightly/` below a folder.

    Args:
        root: The datasource's folder: the one that `.lightly` lies in.

    Example:
        >>> import tempfile
        >>> from lightly.data.datasource_files.prediction_tasks import make_schema
        >>> folder = LightlyFolder(Path(tempfile.mkdtemp()))
        >>> folder.write_task("animals", make_schema("object-detection", ["cat"]))
        >>> cat = {"category_id": 0, "bbox": [1, 2, 30, 40], "score": 0.9}
        >>> folder.write_predictions("animals", "zoo/1.jpg", [cat])
        >>> [(stem, len(read.predictions)) for stem, read in folder.iterate_predictions("animals")]
        [('zoo/1', 1)]
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._schemas: dict[str, TaskSchema] = {}

    def read_tasks(self) -> list[str]:
        """Return the names of the prediction tasks; an empty list if there is no `tasks.json`.

        Raises:
            FileInvalid: If it breaks a rule.
        """
        try:
            return parse_tasks(self._read(TASKS_FILE))
        except FileNotFoundError:
            return []

    def read_schema(self, task_name: str) -> TaskSchema:
        """Return the schema of a task.

        Raises:
            FileInvalid: If it is missing or breaks a rule.
        """
        file = name_task_schema(task_name)
        try:
            return parse_schema(self._read(file), file)
        except FileNotFoundError:
            remedy = "Write it, or take the task out of 'tasks.json'."
            raise FileInvalid(file, "", "is not there", remedy) from None

    def iterate_predictions(
        self, task_name: str, schema: TaskSchema | None = None
    ) -> Iterator[tuple[str, ImagePredictions]]:
        """Yield image name without extension and predictions of each file of a task.

        Raises:
            FileInvalid: At the first file that breaks a rule.
        """
        schema = schema or self.read_schema(task_name)
        for file, stem in self._list_prediction_files(task_name):
            yield stem, parse_predictions(self._read(file), schema, file, stem=stem)

    def read_metadata_schema(self) -> tuple[MetadataEntry, ...]:
        """Return the metadata schema; nothing if there is none.

        Raises:
            FileInvalid: If it breaks a rule.
        """
        try:
            return parse_metadata_schema(self._read(METADATA_SCHEMA_FILE))
        except FileNotFoundError:
            return ()

    def iterate_metadata(self) -> Iterator[tuple[str, FileMetadata]]:
        """Yield name without extension and metadata of each file with metadata.

        Raises:
            FileInvalid: At the first file that breaks a rule.
        """
        schema = self.read_metadata_schema()
        for file, stem in self._list_files(METADATA_FOLDER):
            yield stem, parse_metadata(self._read(file), schema, file, stem=stem)

    def find_problems(self) -> Iterator[FileInvalid]:
        """Yield what is wrong with predictions and metadata, one problem for each file."""
        try:
            tasks = self.read_tasks()
        except FileInvalid as error:
            yield error
            tasks = []
        for task_name in tasks:
            yield from self._find_task_problems(task_name)
        try:
            entries = self.read_metadata_schema()
        except FileInvalid as error:
            yield error
            return
        for file, stem in self._list_files(METADATA_FOLDER):
            try:
                parse_metadata(self._read(file), entries, file, stem=stem)
            except FileInvalid as error:
                yield error

    def write_task(self, task_name: str, schema: TaskSchema) -> None:
        """Write the schema of a task and name it in `tasks.json`.

        Raises:
            FileInvalid: If name or schema break a rule.
        """
        tasks = self.read_tasks()
        listed = encode_tasks(tasks if task_name in tasks else [*tasks, task_name])
        self._write(name_task_schema(task_name), encode_schema(schema, task_name))
        # Last: whoever reads it finds the schema of all tasks in it.
        self._write(TASKS_FILE, listed)
        self._schemas[task_name] = schema

    def write_predictions(
        self, task_name: str, image_name: str, predictions: list[Prediction]
    ) -> None:
        """Write the predictions of a task for an image, in place of earlier ones.

        Raises:
            FileInvalid: If they do not fit the task's schema.
            BadInput: If the image's name cannot be that of a file.
        """
        if task_name not in self._schemas:
            self._schemas[task_name] = self.read_schema(task_name)
        content = encode_predictions(
            task_name, self._schemas[task_name], image_name, list(predictions)
        )
        file = name_prediction_file(task_name, check_relative_name(image_name))
        path = resolve_below(self._root, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not flushed to disk one by one: a conversion that was cut short is run again.
        path.write_bytes(content)

    def _find_task_problems(self, task_name: str) -> Iterator[FileInvalid]:
        try:
            schema = self.read_schema(task_name)
        except FileInvalid as error:
            yield error
            return
        for file, stem in self._list_prediction_files(task_name):
            try:
                parse_predictions(self._read(file), schema, file, stem=stem)
            except FileInvalid as error:
                yield error

    def _list_prediction_files(self, task_name: str) -> Iterator[tuple[str, str]]:
        # A task can lie in the folder of another one: `cars` and `cars/night`.
        others = {f"{PREDICTIONS_FOLDER}{name}/" for name in self.read_tasks() if name != task_name}
        yield from self._list_files(f"{PREDICTIONS_FOLDER}{task_name}/", others)

    def _list_files(
        self, folder: str, left_out: frozenset[str] | set[str] = frozenset()
    ) -> Iterator[tuple[str, str]]:
        """Yield name, and name without extension below `folder`, of JSON files but the schema."""
        pending = [folder]
        while pending:
            found = pending.pop()
            names = []
            try:
                with os.scandir(self._root / found) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            pending.append(f"{found}{entry.name}/")
                        elif entry.name.endswith(_JSON):
                            names.append(found + entry.name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            pending = [one for one in pending if one not in left_out]
            for name in sorted(names):
                if name != folder + SCHEMA_NAME:
                    yield name, cut_extension(name[len(folder) :])

    def _read(self, file: str) -> bytes:
        """Return the bytes of a file; more than are ever parsed are not read."""
        descriptor = os.open(f"{self._root}/{file}", os.O_RDONLY | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise FileInvalid(file, "", "must be a file", "Remove it.")
            if status.st_size > MAX_JSON_BYTES:
                rule = f"may have at most {MAX_JSON_BYTES} bytes, has {status.st_size}"
                raise FileInvalid(file, "", rule, "Split it, or make masks smaller.")
            return _read_whole(descriptor, status.st_size)
        finally:
            os.close(descriptor)

    def _write(self, file: str, content: bytes) -> None:
        write_atomic(resolve_below(self._root, file), content)


def _read_whole(descriptor: int, size_bytes: int) -> bytes:
    content = os.read(descriptor, size_bytes + 1)
    while len(content) < size_bytes and (more := os.read(descriptor, size_bytes)):
        content += more
    return content
