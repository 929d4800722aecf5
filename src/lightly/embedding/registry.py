"""Which models there are: the shipped one, and ONNX files that users bring.

An entry says everything that decides about a vector. Its digest covers the weights, the geometry
and the version of the pixel code, so two vectors with the same digest can be compared.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from lightly._kit.atomic_files import open_atomic, write_atomic
from lightly._kit.errors import BadInput
from lightly.media.resize_rule import MODEL_INPUT_VERSION, ResizeRule

DEFAULT_MODEL_ID = "efficientnet-lite0-fp16"
#: Where users' models are kept, unless it is unset.
MODELS_FOLDER_VARIABLE = "LIGHTLY_MODELS_DIR"
# A CLIP image encoder has 0.3 to 1.7 GB; protobuf ends at 2 GB.
MAX_MODEL_BYTES = 2 * 1024**3

_ID_FORM = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
ENTRY_FILE = "entry.json"
MODEL_FILE = "model.onnx"
_CHUNK_BYTES = 1024 * 1024

Layout = Literal["uint8_nhwc", "float32_nchw", "float16_nchw"]


class UnknownModel(BadInput):
    """There is no such model. Models are added with `lightly models add FILE.onnx`."""

    code = "unknown_model"


class UnusableModel(BadInput):
    """The ONNX file is no image embedding model."""

    code = "unusable_model"


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model and everything that decides about its vectors.

    Attributes:
        id: Name in commands and reports.
        path: The ONNX file.
        sha256: Of the file; checked when it is loaded.
        licence: Of the weights.
        dim: Length of a vector.
        input_name: Input of the graph.
        output_name: Output of the graph that is the vector, of shape (n, dim).
        layout: `uint8_nhwc` takes raw pixels; the float layouts take (pixel / 255 - mean) / std.
        rule: How an image becomes the input.
        mean: Per channel, if the graph does not normalise.
        std: Per channel, if the graph does not normalise.
    """

    id: str
    path: Path
    sha256: str
    licence: str
    dim: int
    input_name: str
    output_name: str
    layout: Layout = "uint8_nhwc"
    rule: ResizeRule = field(default_factory=ResizeRule)
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None

    @property
    def digest(self) -> str:
        """64 hex digits that change with anything that changes a vector."""
        parts = {
            "sha256": self.sha256,
            "output_name": self.output_name,
            "layout": self.layout,
            "rule": asdict(self.rule),
            "mean": self.mean,
            "std": self.std,
            "model_input_version": MODEL_INPUT_VERSION,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


SHIPPED_MODEL = EmbeddingModel(
    id=DEFAULT_MODEL_ID,
    path=Path(str(resources.files("lightly.embedding") / "models/efficientnet_lite0_fp16.onnx")),
    sha256="001689d98177e2c5aafad0111e3a97bc1df3d1c38fe69d1e474182a9c7c5578a",
    licence="Apache-2.0",
    dim=1280,
    input_name="images",
    output_name="embedding",
)


def find_model(name: str) -> EmbeddingModel:
    """Return the model with this id.

    A path to an ONNX file that needs no further settings is registered on the way.

    Raises:
        UnknownModel: If there is none.
        UnusableModel: If a path was given and the file is no model that works without settings.
    """
    if name == DEFAULT_MODEL_ID:
        return SHIPPED_MODEL
    if name.lower().endswith(".onnx"):
        return register_model(name)
    entry = models_folder() / name / ENTRY_FILE
    if _ID_FORM.fullmatch(name) is None or not entry.is_file():
        known = ", ".join(model.id for model in list_models())
        raise UnknownModel(f"There is no model {name[:64]!r}. Known: {known}.")
    return _read_entry(entry)


def list_models() -> list[EmbeddingModel]:
    """Return the shipped model and those of the user, sorted by id."""
    entries = sorted(models_folder().glob(f"*/{ENTRY_FILE}"))
    return [SHIPPED_MODEL, *(_read_entry(entry) for entry in entries)]


def models_folder() -> Path:
    """Return where users' models are kept."""
    if chosen := os.environ.get(MODELS_FOLDER_VARIABLE):
        return Path(chosen)
    data_home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data_home) / "lightly" / "models"


def register_model(
    onnx_path: str | os.PathLike[str],
    *,
    model_id: str | None = None,
    input_side: int | None = None,
    short_side: int | None = None,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
    output_name: str | None = None,
    licence: str = "unknown",
) -> EmbeddingModel:
    """Check an ONNX file by running it, copy it into the user's models, and return its entry.

    The graph has one image input: uint8 of shape (n, side, side, 3), or float of shape
    (n, 3, side, side), which needs `mean` and `std`.

    Args:
        onnx_path: The file, with its weights inside.
        model_id: Name to use; default the file name.
        input_side: Pixels; needed if the graph leaves it open.
        short_side: To what the shorter side is resized before the crop; default 8/7 of the input.
        mean: Per channel R, G, B, of pixels in 0..1.
        std: As `mean`.
        output_name: Which output is the vector; default the first of shape (n, dim).
        licence: Of the weights, to be kept with them.

    Raises:
        UnusableModel: If the file cannot be used so; the message says what is missing.
        BadInput: If the id is malformed or taken by another file.
    """
    from lightly.embedding.session import probe_model  # noqa: PLC0415  loads ONNX Runtime

    source = Path(onnx_path)
    chosen_id = _check_not_shipped(choose_id(model_id, source))
    sha256 = measure_sha256(source)
    known = {model.id: model for model in list_models()}.get(chosen_id)
    if known is not None and known.sha256 != sha256:
        raise BadInput(f"The id {chosen_id!r} belongs to another model. Choose another one.")
    folder = models_folder() / chosen_id
    model = probe_model(
        source,
        model_id=chosen_id,
        input_side=input_side,
        mean=mean,
        std=std,
        output_name=output_name,
    )
    rule = ResizeRule(model.rule.input_side, short_side or round(model.rule.input_side * 8 / 7))
    target = folder / MODEL_FILE
    model = replace(model, path=target, rule=rule, sha256=sha256, licence=licence)
    store_model(source, target, format_entry(model))
    return model


def store_model(source: Path, target: Path, entry: str) -> None:
    """Copy the file of a model among those of the user, and write what is known of it beside it.

    Args:
        source: The user's file.
        target: Where it is kept.
        entry: What is known of it, as JSON.
    """
    with source.open("rb") as original, open_atomic(target) as copy:
        shutil.copyfileobj(original, copy)
    write_atomic(target.with_name(ENTRY_FILE), entry.encode())


def measure_sha256(path: Path) -> str:
    """Return the SHA-256 of a model file.

    Raises:
        UnusableModel: If it is missing or too large.
    """
    if not path.is_file():
        raise UnusableModel(f"There is no file {path.name!r} there.")
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise UnusableModel(f"A model may have at most {MAX_MODEL_BYTES} bytes.")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def check_unchanged(kind: str, model_id: str, found_sha256: str, sha256: str) -> None:
    """Raise `UnusableModel` if the file of a model is not the one that was added.

    Args:
        kind: What it is, for people: `model` or `detector`.
        model_id: Its id.
        found_sha256: Of the file as it is.
        sha256: Of the file that was added.
    """
    if found_sha256 != sha256:
        raise UnusableModel(f"The file of the {kind} {model_id!r} was changed. Add it again.")


def choose_id(model_id: str | None, source: Path) -> str:
    """Return the id that a user gave to a model, or one that is made from the name of its file.

    Raises:
        BadInput: If it is malformed.
    """
    made = re.sub(r"[^a-z0-9._-]+", "-", source.stem.lower()).strip("-._")[:64]
    chosen = model_id or made
    if _ID_FORM.fullmatch(chosen) is None:
        raise BadInput(
            f"A model id has 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit;"
            f" got {chosen[:64]!r}."
        )
    return chosen


def _check_not_shipped(model_id: str) -> str:
    if model_id == DEFAULT_MODEL_ID:
        raise BadInput(f"The id {model_id!r} belongs to the shipped model. Choose another one.")
    return model_id


def format_entry(model: EmbeddingModel) -> str:
    """Return a model as JSON, without the place of its file."""
    entry = asdict(model)
    del entry["path"]
    return json.dumps(entry, indent=1)


def parse_entry(text: str, model_path: Path) -> EmbeddingModel:
    """Return the model that `format_entry` wrote.

    Raises:
        UnusableModel: If the text is damaged.
    """
    try:
        entry: Mapping[str, Any] = json.loads(text)
        rule = ResizeRule(**entry["rule"])
        settings = {key: _as_triple(entry[key]) for key in ("mean", "std")}
        return EmbeddingModel(**{**entry, **settings, "rule": rule, "path": model_path})
    except (ValueError, KeyError, TypeError) as error:
        name = model_path.parent.name
        raise UnusableModel(f"The entry of the model {name!r} is damaged.") from error


def _read_entry(path: Path) -> EmbeddingModel:
    # The file lies beside the entry, so the folder can be moved.
    return parse_entry(path.read_text(), path.parent / MODEL_FILE)


def _as_triple(values: list[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values)
