"""Object detectors that users bring as ONNX files.

None is shipped. Two kinds of exports are understood, both with suppression of overlaps inside the
graph, so that each object comes once:

- outputs `boxes` (n, 4), `labels` (n,) and `scores` (n,), as torchvision's detectors have them;
- one output (1, n, 6) with corners, score and label of each box, as YOLO's exports with NMS have.

Corners are x1, y1, x2, y2 in pixels of the input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lightly._kit.errors import BadInput
from lightly.embedding.registry import (
    ENTRY_FILE,
    MODEL_FILE,
    UnusableModel,
    choose_id,
    measure_sha256,
    models_folder,
    store_model,
)

_FOLDER = "detectors"
#: Classes that stand for no object.
_NO_OBJECTS = ("", "__background__", "background", "N/A")
DEFAULT_MIN_SCORE = 0.25
DEFAULT_INPUT_SIDE = 640


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector.

    Attributes:
        id: Name in commands.
        path: The ONNX file.
        sha256: Of the file.
        classes: Names by label; a label whose name is empty or `__background__` is no object.
        input_side: Width and height of the input; images are fitted into it.
        layout: `uint8_nhwc` takes raw pixels, `float32_nchw` (pixel / 255 - mean) / std.
        form: `boxes_labels_scores`, or `rows` for one output.
        min_score: Objects with a lower score are left out.
        mean: Per channel, for floats.
        std: Per channel, for floats.
    """

    id: str
    path: Path
    sha256: str
    classes: tuple[str, ...]
    input_side: int
    layout: str
    form: str
    min_score: float = DEFAULT_MIN_SCORE
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def categories(self) -> list[tuple[int, str]]:
        """Label and name of the classes that stand for objects."""
        return [(n, name) for n, name in enumerate(self.classes) if name not in _NO_OBJECTS]


def find_detector(name: str | None = None) -> Detector:
    """Return a detector by its id; without one, the only one that there is.

    Raises:
        UnusableModel: If it is not there, or it is not clear which one is meant.
    """
    known = list_detectors()
    ids = ", ".join(detector.id for detector in known) or "none"
    if not known:
        raise UnusableModel(
            "There is no detector. Add one on the worker's machine with "
            "`lightly models add FILE.onnx --detector --classes FILE.txt`."
        )
    if name is None and len(known) > 1:
        raise UnusableModel(
            f"There are several detectors: {ids}. Say which with `lightly worker --detector ID`."
        )
    for detector in known:
        if name in (None, detector.id):
            return detector
    raise UnusableModel(f"There is no detector {name!r:.70}. Known: {ids}.")


def list_detectors() -> list[Detector]:
    """Return the detectors of this machine, sorted by id."""
    entries = sorted((models_folder() / _FOLDER).glob(f"*/{ENTRY_FILE}"))
    return [parse_detector(entry.read_text(), entry.parent / MODEL_FILE) for entry in entries]


def register_detector(
    onnx_path: str | Path,
    *,
    classes: Sequence[str],
    detector_id: str | None = None,
    input_side: int | None = None,
    min_score: float = DEFAULT_MIN_SCORE,
    mean: tuple[float, float, float] | None = None,
    std: tuple[float, float, float] | None = None,
) -> Detector:
    """Check a detector by running it, copy it into the user's models, and return its entry.

    Args:
        onnx_path: The file, with its weights inside.
        classes: Names by label, from label 0 on.
        detector_id: Name to use; default the file name.
        input_side: Pixels; 640 if the graph leaves it open.
        min_score: Objects with a lower score are left out.
        mean: Per channel R, G, B, of pixels in 0..1; 0 if None.
        std: As `mean`; 1 if None.

    Raises:
        UnusableModel: If its inputs or outputs are none of the known ones.
        BadInput: If the id is malformed or taken, or there are no classes.
    """
    from lightly.embedding.detection import probe_detector  # noqa: PLC0415  loads ONNX Runtime

    source = Path(onnx_path)
    chosen = choose_id(detector_id, source)
    if not any(name not in _NO_OBJECTS for name in classes):
        raise BadInput("A detector needs the names of its classes, one for each label from 0 on.")
    if not 0 <= min_score <= 1:
        raise BadInput(f"min_score must be in [0, 1], got {min_score}.")
    sha256 = measure_sha256(source)
    folder = models_folder() / _FOLDER / chosen
    for known in list_detectors():
        if known.id == chosen and known.sha256 != sha256:
            raise BadInput(f"The id {chosen!r} belongs to another detector. Choose another one.")
    layout, side, form = probe_detector(source, input_side=input_side)
    detector = Detector(
        chosen, folder / MODEL_FILE, sha256, tuple(classes), side, layout, form, min_score,
        mean or (0.0, 0.0, 0.0), std or (1.0, 1.0, 1.0),
    )  # fmt: skip
    store_model(source, detector.path, format_detector(detector))
    return detector


def format_detector(detector: Detector) -> str:
    """Return a detector as JSON, without the place of its file."""
    entry = asdict(detector)
    del entry["path"]
    return json.dumps(entry, indent=1)


def parse_detector(text: str, path: Path) -> Detector:
    """Return the detector that `format_detector` wrote.

    Raises:
        UnusableModel: If the text is damaged.
    """
    try:
        entry: dict[str, Any] = json.loads(text)
        triples = {key: tuple(entry[key]) for key in ("classes", "mean", "std")}
        return Detector(**{**entry, **triples, "path": path})
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableModel(
            f"The entry of the detector {path.parent.name!r} is damaged."
        ) from error
