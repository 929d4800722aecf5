"""Running a detector with ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lightly.embedding.detectors import DEFAULT_INPUT_SIDE, Detector
from lightly.embedding.registry import UnusableModel
from lightly.embedding.session import load_graph, load_stored_graph

Pixels = NDArray[np.uint8]

_NAMES = ("boxes", "labels", "scores")
_BOX_LENGTH, _ROW_LENGTH = 4, 6
#: What detectors are trained to see around an image that does not fill the input.
_GREY = 114
#: Most objects of an image.
MAX_OBJECTS = 300
_LAYOUTS = {"tensor(uint8)": "uint8_nhwc", "tensor(float)": "float32_nchw"}


class DetectionSession:
    """A loaded detector.

    Args:
        detector: What to load. The content of its file is checked against its SHA-256.
        n_threads: How many cores one run may use.

    Raises:
        UnusableModel: If the file is missing, changed, or cannot be loaded.
    """

    def __init__(self, detector: Detector, *, n_threads: int = 1) -> None:
        self.detector = detector
        self._session = load_stored_graph(
            "detector", detector.id, detector.path, detector.sha256, n_threads=n_threads
        )
        self._labels = {label for label, _ in detector.categories}

    def detect(self, pixels: Pixels) -> list[dict[str, Any]]:
        """Return the objects of an image: `category_id`, `bbox` and `score`, the surest first.

        Args:
            pixels: RGB of shape (height, width, 3).

        Returns:
            At most 300; boxes are x, y, width and height in pixels of the image, cut off at its
            edges.
        """
        height, width = pixels.shape[:2]
        inputs, scale = _fit(pixels, self.detector.input_side)
        outputs = self._run(prepare_detection(inputs, self.detector))
        boxes, labels, scores = split_outputs(outputs, self.detector.form)
        corners = np.clip(boxes / scale, 0, np.array([width, height, width, height]))
        found = []
        for place in np.argsort(-scores, kind="stable"):
            x1, y1, x2, y2 = (float(edge) for edge in corners[place])
            score, label = float(scores[place]), int(labels[place])
            is_object = label in self._labels and score >= self.detector.min_score
            if is_object and x2 > x1 and y2 > y1:
                box = [round(edge, 2) for edge in (x1, y1, x2 - x1, y2 - y1)]
                found.append(
                    {"category_id": label, "bbox": box, "score": round(min(score, 1.0), 4)}
                )
        return found[:MAX_OBJECTS]

    def _run(self, inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        names = [output.name for output in self._session.get_outputs()]
        name = self._session.get_inputs()[0].name
        return dict(zip(names, self._session.run(names, {name: inputs}), strict=True))


def probe_detector(path: Path, *, input_side: int | None) -> tuple[str, int, str]:
    """Return layout, input side and output form of a graph by running it on a grey image.

    Raises:
        UnusableModel: If it is none of the known forms.
    """
    session = load_graph(path.read_bytes(), path.stem)
    inputs = session.get_inputs()
    layout = _LAYOUTS.get(inputs[0].type)
    shape = inputs[0].shape
    if len(inputs) != 1 or layout is None or len(shape) != _BOX_LENGTH:
        raise UnusableModel(
            "A detector has one input, the image: uint8 of shape (1, side, side, 3) or float of "
            f"shape (1, 3, side, side). This one has {[(one.type, one.shape) for one in inputs]}."
        )
    sides = shape[1:3] if layout == "uint8_nhwc" else shape[2:4]
    declared = {side for side in sides if isinstance(side, int)}
    if len(declared) > 1 or (declared and input_side not in (None, *declared)):
        raise UnusableModel(f"The input side of the graph is {sorted(declared)}, and is square.")
    side = declared.pop() if declared else (input_side or DEFAULT_INPUT_SIDE)
    grey = np.full((side, side, 3), _GREY, np.uint8)
    trial = Detector("trial", path, "", ("object",), side, layout, "")
    names = [output.name for output in session.get_outputs()]
    try:
        values = session.run(names, {inputs[0].name: prepare_detection(grey, trial)})
    except Exception as error:
        # ONNX Runtime raises classes of its own without a common public root.
        raise UnusableModel("The detector fails on a grey image.") from error
    return layout, side, find_form(dict(zip(names, values, strict=True)))


def find_form(outputs: dict[str, NDArray[Any]]) -> str:
    """Return which form outputs have.

    Raises:
        UnusableModel: If it is none of the known ones.
    """
    if set(_NAMES) <= set(outputs) and outputs["boxes"].shape[-1] == _BOX_LENGTH:
        return "boxes_labels_scores"
    first = next(iter(outputs.values()))
    if first.ndim in {2, 3} and first.shape[-1] == _ROW_LENGTH:
        return "rows"
    shapes = ", ".join(f"{name} {value.shape}" for name, value in outputs.items())
    raise UnusableModel(
        "A detector has outputs 'boxes' (n, 4), 'labels' (n) and 'scores' (n), or one output "
        f"(1, n, 6) of corners, score and label. This one has {shapes}. Export it with the "
        "suppression of overlaps (NMS) inside."
    )


def split_outputs(
    outputs: dict[str, NDArray[Any]], form: str
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return corners of shape (n, 4), labels and scores."""
    if form == "rows":
        rows = next(iter(outputs.values())).reshape(-1, _ROW_LENGTH).astype(np.float64)
        return rows[:, :4], rows[:, 5].astype(np.int64), rows[:, 4]
    return (
        outputs["boxes"].reshape(-1, _BOX_LENGTH).astype(np.float64),
        outputs["labels"].reshape(-1).astype(np.int64),
        outputs["scores"].reshape(-1).astype(np.float64),
    )


def prepare_detection(pixels: Pixels, detector: Detector) -> NDArray[Any]:
    """Bring a fitted image into the layout and range that the graph takes."""
    if detector.layout == "uint8_nhwc":
        return pixels[np.newaxis]
    scaled = pixels.astype(np.float32) / np.float32(255)
    mean, std = (np.asarray(values, np.float32) for values in (detector.mean, detector.std))
    normal = (scaled - mean) / std
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis], np.float32)


def _fit(pixels: Pixels, side: int) -> tuple[Pixels, float]:
    """Return an image fitted into the top left of a square, and how much it was scaled."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    square = np.full((side, side, 3), _GREY, np.uint8)
    square[: size[1], : size[0]] = np.asarray(resized)
    return square, scale
