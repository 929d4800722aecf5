"""`tasks.json` and `schema.json`: which prediction tasks there are and what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, NotRequired, get_args

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from lightly.data.datasource_files.errors import FileInvalid, shorten
from lightly.data.datasource_files.json_files import encode_json, parse_json
from lightly.data.datasource_files.names import TASKS_FILE, name_task_schema

TaskType = Literal[
    "classification",
    "object-detection",
    "semantic-segmentation",
    "instance-segmentation",
    "keypoint-detection",
]
#: Task types as files spell them.
TASK_TYPES: tuple[TaskType, ...] = get_args(TaskType)
#: How the wire contract calls the types that files spell with dashes.
WIRE_TYPES: dict[TaskType, str] = {
    "classification": "CLASSIFICATION",
    "object-detection": "OBJECT_DETECTION",
    "semantic-segmentation": "SEMANTIC_SEGMENTATION",
    "instance-segmentation": "INSTANCE_SEGMENTATION",
    "keypoint-detection": "KEYPOINT_DETECTION",
}
_WIRE_KEYS = {"keypoint_names": "keypointNames", "keypoint_skeleton": "keypointSkeleton"}
#: Largest id of a category: the largest integer that every JSON reader reads exactly.
MAX_CATEGORY_ID = 2**53 - 1
#: What a task may be called, by the wire contract. It is a folder's name too.
TASK_NAME_PATTERN = r"^[a-zA-Z0-9_+=,.@:\/-]+$"
_MAX_NAME_CHARACTERS = 255

_TASKS_REMEDY = 'Write a list of the names of tasks, such as ["animals"].'
_SCHEMA_REMEDY = (
    'Write {"task_type": "object-detection", "categories": [{"id": 0, "name": "cat"}]} '
    "with your own values."
)

CategoryId = Annotated[int, Field(ge=0, le=MAX_CATEGORY_ID)]
_Name = Annotated[str, Field(min_length=1)]


@with_config(ConfigDict(strict=True, extra="ignore"))
class Category(TypedDict):
    """A class that predictions of a task can have, as the file has it."""

    id: CategoryId
    name: _Name
    keypoint_names: NotRequired[list[str]]
    keypoint_skeleton: NotRequired[
        list[Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2)]]
    ]


@with_config(ConfigDict(strict=True, extra="ignore"))
class _SchemaContent(TypedDict):
    task_type: TaskType
    categories: list[Category]


_TASKS = TypeAdapter(
    list[
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=_MAX_NAME_CHARACTERS,
                pattern=TASK_NAME_PATTERN,
                strict=True,
            ),
        ]
    ]
)
_SCHEMA = TypeAdapter(_SchemaContent)


@dataclass(frozen=True)
class TaskSchema:
    """The schema of a prediction task.

    Attributes:
        task_type: One of `TASK_TYPES`.
        categories: Its classes; ids are unique, gaps are allowed.
    """

    task_type: TaskType
    categories: tuple[Category, ...]

    @cached_property
    def n_keypoints(self) -> dict[int, int | None]:
        """How many keypoints each category has, None if it does not say."""
        return {
            category["id"]: len(category["keypoint_names"])
            if "keypoint_names" in category
            else None
            for category in self.categories
        }

    @cached_property
    def names(self) -> dict[int, str]:
        """The name of each category."""
        return {category["id"]: category["name"] for category in self.categories}


def make_schema(task_type: TaskType, names: Iterable[str]) -> TaskSchema:
    """Return a schema whose categories are numbered from 0 in the order of their names.

    >>> make_schema("classification", ["cat", "dog"]).names
    {0: 'cat', 1: 'dog'}
    """
    return TaskSchema(
        task_type, tuple(Category(id=number, name=name) for number, name in enumerate(names))
    )


def parse_tasks(content: bytes, file: str = TASKS_FILE) -> list[str]:
    """Return the names of tasks in a `tasks.json`; only these have folders that are read.

    Args:
        content: The file's bytes.
        file: Its name, for errors.

    Raises:
        FileInvalid: If it is no list of names, or has one twice.

    >>> parse_tasks(b'["animals", "cars"]')
    ['animals', 'cars']
    """
    tasks = parse_json(_TASKS, content, file, _TASKS_REMEDY)
    seen: set[str] = set()
    for number, name in enumerate(tasks):
        if any(part in {"", ".", ".."} for part in name.split("/")):
            rule = f"must be a folder's name without '.' and '..', got {shorten(name)}"
            raise FileInvalid(file, str(number), rule, _TASKS_REMEDY)
        if name in seen:
            raise FileInvalid(
                file, str(number), f"names {shorten(name)} again", "Name each task once."
            )
        seen.add(name)
    return tasks


def parse_schema(content: bytes, file: str) -> TaskSchema:
    """Return the schema of a task.

    Args:
        content: The bytes of its `schema.json`.
        file: The file's name, for errors.

    Raises:
        FileInvalid: If it breaks a rule.

    >>> schema = b'{"task_type": "classification", "categories": [{"id": 3, "name": "cat"}]}'
    >>> parse_schema(schema, "schema.json").names
    {3: 'cat'}
    """
    read = parse_json(_SCHEMA, content, file, _SCHEMA_REMEDY)
    seen: set[int] = set()
    for number, category in enumerate(read["categories"]):
        key = f"categories.{number}"
        if category["id"] in seen:
            rule = f"must be an id of its own, {category['id']} is given twice"
            raise FileInvalid(file, f"{key}.id", rule, "Give each category another id.")
        seen.add(category["id"])
        _check_skeleton(category, file, key)
    return TaskSchema(read["task_type"], tuple(read["categories"]))


def _check_skeleton(category: Category, file: str, key: str) -> None:
    names, skeleton = category.get("keypoint_names"), category.get("keypoint_skeleton")
    if names is None or skeleton is None:
        return
    for number, bone in enumerate(skeleton):
        if max(bone) >= len(names):
            rule = f"names keypoint {max(bone)} of {len(names)}; they are numbered from 0"
            place = f"{key}.keypoint_skeleton.{number}"
            raise FileInvalid(file, place, rule, "Name keypoints that are in 'keypoint_names'.")


def encode_tasks(names: Sequence[str]) -> bytes:
    """Return the bytes of a `tasks.json`.

    Raises:
        FileInvalid: If a name cannot be used, or is given twice.
    """
    content = encode_json(list(names), TASKS_FILE)
    parse_tasks(content)
    return content


def encode_schema(schema: TaskSchema, task_name: str) -> bytes:
    """Return the bytes of a task's `schema.json`.

    Raises:
        FileInvalid: If two categories have the same id, or something else breaks a rule.
    """
    content = {"task_type": schema.task_type, "categories": list(schema.categories)}
    file = name_task_schema(task_name)
    text = encode_json(content, file)
    parse_schema(text, file)
    return text


def write_wire_schema(schema: TaskSchema, task_name: str) -> dict[str, Any]:
    """Return the schema of a task as the API has it.

    >>> write_wire_schema(make_schema("classification", ["cat"]), "pets")["type"]
    'CLASSIFICATION'
    """
    categories = [
        {_WIRE_KEYS.get(key, key): value for key, value in category.items()}
        for category in schema.categories
    ]
    return {"name": task_name, "type": WIRE_TYPES[schema.task_type], "categories": categories}
