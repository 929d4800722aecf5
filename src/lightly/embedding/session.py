"""Running a model with ONNX Runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from lightly.embedding.registry import (
    EmbeddingModel,
    Layout,
    UnusableModel,
    check_unchanged,
)
from lightly.embedding.vectors import Vectors
from lightly.media.resize_rule import ResizeRule

_LAYOUTS: dict[str, Layout] = {
    "tensor(uint8)": "uint8_nhwc",
    "tensor(float)": "float32_nchw",
    "tensor(float16)": "float16_nchw",
}
# Only errors: warnings of the optimiser say nothing to users.
_LOG_ERRORS = 3
_PROBE_IMAGES = 2


class EmbeddingSession:
    """A loaded model. `run` may be called from several threads at once.

    Args:
        model: What to load. The content of its file is checked against its SHA-256.
        n_threads: How many cores one run may use.

    Raises:
        UnusableModel: If the file is missing, changed, or cannot be loaded.
    """

    def __init__(self, model: EmbeddingModel, *, n_threads: int = 1) -> None:
        self.model = model
        self._session = load_stored_graph(
            "model", model.id, model.path, model.sha256, n_threads=n_threads
        )
        self._takes_one = self._session.get_inputs()[0].shape[0] == 1

    def run(self, pixels: NDArray[np.uint8]) -> Vectors:
        """Return the vectors of a batch.

        Each image's vector is the same whatever else is in the batch.

        Args:
            pixels: uint8 of shape (n, side, side, 3), RGB, from `media.model_input`.

        Returns:
            float32 of shape (n, dim).
        """
        inputs = prepare_input(pixels, self.model)
        if not self._takes_one:
            return self._run_batch(inputs)
        return np.concatenate([self._run_batch(inputs[n : n + 1]) for n in range(len(inputs))])

    def _run_batch(self, inputs: NDArray[Any]) -> Vectors:
        (vectors,) = self._session.run([self.model.output_name], {self.model.input_name: inputs})
        return np.asarray(vectors, np.float32)


def prepare_input(pixels: NDArray[np.uint8], model: EmbeddingModel) -> NDArray[Any]:
    """Bring pixels into the layout and range that the graph takes."""
    if model.layout == "uint8_nhwc":
        return pixels
    scaled = pixels.astype(np.float32) / np.float32(255)
    mean, std = (np.asarray(values, np.float32) for values in (model.mean, model.std))
    normalised = (scaled - mean) / std
    dtype = np.float16 if model.layout == "float16_nchw" else np.float32
    return np.ascontiguousarray(normalised.transpose(0, 3, 1, 2), dtype)


def probe_model(
    path: Path,
    *,
    model_id: str,
    input_side: int | None,
    mean: tuple[float, float, float] | None,
    std: tuple[float, float, float] | None,
    output_name: str | None,
) -> EmbeddingModel:
    """Find out about a graph by looking at it and running it once.

    Raises:
        UnusableModel: If it is no image embedding model, or a setting is missing.
    """
    session = load_graph(_read_model(path), model_id)
    graph_input = _find_input(session)
    layout = _find_layout(graph_input)
    if layout != "uint8_nhwc" and (mean is None or std is None):
        raise UnusableModel("The model takes floats: say with which mean and std (--mean, --std).")
    if std is not None and min(std) <= 0:
        raise UnusableModel(f"std must be positive, got {std}.")
    side = _find_side(graph_input, layout, input_side)
    model = EmbeddingModel(
        id=model_id, path=path, sha256="", licence="", dim=0, input_name=graph_input.name,
        output_name="", layout=layout, rule=ResizeRule(side, side), mean=mean, std=std,
    )  # fmt: skip
    names = [output_name] if output_name else [output.name for output in session.get_outputs()]
    name, dim = _find_vector(session, model, names)
    return replace(model, output_name=name, dim=dim)


def _read_model(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableModel(f"The model file {path.name!r} cannot be read.") from error


def load_stored_graph(
    kind: str, model_id: str, path: Path, sha256: str, *, n_threads: int
) -> ort.InferenceSession:
    """Return a session of the graph in a file that was added before.

    Args:
        kind: What it is, for people: `model` or `detector`.
        model_id: Its id.
        path: Its file.
        sha256: Of the file that was added.
        n_threads: How many cores one run may use.

    Raises:
        UnusableModel: If the file is missing, changed, or cannot be loaded.
    """
    content = _read_model(path)
    check_unchanged(kind, model_id, hashlib.sha256(content).hexdigest(), sha256)
    return load_graph(content, model_id, n_threads=n_threads)


def load_graph(content: bytes, model_id: str, *, n_threads: int = 1) -> ort.InferenceSession:
    """Return a session of a graph on the CPU.

    Raises:
        UnusableModel: If ONNX Runtime cannot load it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_ERRORS
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # ONNX Runtime raises classes of its own without a common public root.
        raise UnusableModel(
            f"ONNX Runtime cannot load the model {model_id!r}: weights must lie inside the file."
        ) from error


def _find_input(session: ort.InferenceSession) -> Any:
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(graph_input.name for graph_input in inputs)
        raise UnusableModel(f"The model must have one input, the image; it has: {names}.")
    return inputs[0]


def _find_layout(graph_input: Any) -> Layout:
    layout = _LAYOUTS.get(graph_input.type)
    shape = graph_input.shape
    channel_axis = -1 if layout == "uint8_nhwc" else 1
    is_image = len(shape) == 4 and (
        shape[channel_axis] == 3 or not isinstance(shape[channel_axis], int)
    )
    if layout is None or not is_image:
        raise UnusableModel(
            "The input must be uint8 of shape (n, side, side, 3) or float of shape"
            f" (n, 3, side, side); it is {graph_input.type} {shape}."
        )
    if isinstance(shape[0], int) and shape[0] != 1:
        raise UnusableModel(f"The batch size of the graph must be open or 1; it is {shape[0]}.")
    return layout


def _find_side(graph_input: Any, layout: Layout, wanted: int | None) -> int:
    height, width = graph_input.shape[1:3] if layout == "uint8_nhwc" else graph_input.shape[2:4]
    declared = {side for side in (height, width) if isinstance(side, int)}
    if len(declared) > 1:
        raise UnusableModel(f"The input must be square; it is {height}x{width}.")
    side = declared.pop() if declared else wanted
    if side is None:
        raise UnusableModel("The graph leaves the input size open: say which (--input-side).")
    if wanted not in (None, side):
        raise UnusableModel(f"The input side of the graph is {side}, not {wanted}.")
    return side


def _find_vector(
    session: ort.InferenceSession, model: EmbeddingModel, names: Iterable[str]
) -> tuple[str, int]:
    """Return the first output that gives one vector per image, and its length."""
    n_images = 1 if session.get_inputs()[0].shape[0] == 1 else _PROBE_IMAGES
    shape = (n_images, model.rule.input_side, model.rule.input_side, 3)
    inputs = prepare_input(np.zeros(shape, np.uint8), model)
    seen = []
    for name in names:
        try:
            (output,) = session.run([name], {model.input_name: inputs})
        except Exception as error:
            raise UnusableModel(f"The model fails on a black image at output {name!r}.") from error
        if output.ndim == 2 and output.shape[0] == n_images and np.isfinite(output).all():
            return name, int(output.shape[1])
        seen.append(f"{name} {output.shape}")
    raise UnusableModel(f"No output is one finite vector per image; there are: {', '.join(seen)}.")
