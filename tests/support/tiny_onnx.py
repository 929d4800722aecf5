"""ONNX files of a few hundred bytes, written by hand: the format is plain protobuf."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

_TYPES = {"float": 1, "uint8": 2, "float16": 10}
_ATTRIBUTE_INT, _ATTRIBUTE_TENSOR, _ATTRIBUTE_INTS = 2, 4, 7


def write_mean_colour_model(
    path: Path,
    *,
    side: int | str = 8,
    batch: int | str = "n",
    layout: str = "uint8",
    keep_dimensions: bool = False,
) -> Path:
    """Write a model whose vector is the mean of the three channels."""
    shape = [batch, side, side, 3] if layout == "uint8" else [batch, 3, side, side]
    axes = [1, 2] if layout == "uint8" else [2, 3]
    nodes = [
        _node("Cast", ["images"], ["floats"], _attribute("to", 1)),
        _node(
            "ReduceMean",
            ["floats"],
            ["vector"],
            _attribute("axes", axes) + _attribute("keepdims", int(keep_dimensions)),
        ),
    ]
    return _write(path, nodes, [_value("images", layout, shape)])


def write_model_with_two_inputs(path: Path) -> Path:
    nodes = [_node("Add", ["a", "b"], ["vector"])]
    values = [_value(name, "float", ["n", 3, 8, 8]) for name in ("a", "b")]
    return _write(path, nodes, values)


def write_text_model(path: Path) -> Path:
    """Write a model whose input is no image."""
    return _write(path, [_node("Relu", ["x"], ["vector"])], [_value("x", "float", ["n", 77])])


def write_bright_detector(
    path: Path, *, side: int = 64, box: Sequence[float] = (8, 16, 40, 48), label: int = 1
) -> Path:
    """Write a detector that finds one object, as surely as the picture is bright."""
    boxes = _tensor(1, [1, 4], struct.pack("<4f", *box))
    labels = _tensor(7, [1], struct.pack("<q", label))
    nodes = [
        _node("Constant", [], ["boxes"], boxes),
        _node("Constant", [], ["labels"], labels),
        _node("ReduceMean", ["image"], ["scores"], _attribute("axes", [1, 2, 3]) + _KEEP_NONE),
    ]
    inputs = [_value("image", "float", [1, 3, side, side])]
    return _write(path, nodes, inputs, {"boxes": 1, "labels": 7, "scores": 1})


def write_row_detector(path: Path, rows: Sequence[Sequence[float]], *, side: int = 64) -> Path:
    """Write a detector that finds the same objects everywhere: corners, score and label of each."""
    flat = [number for row in rows for number in row]
    found = _tensor(1, [1, len(rows), 6], struct.pack(f"<{len(flat)}f", *flat))
    nodes = [
        _node("Constant", [], ["found"], found),
        _node("Cast", ["images"], ["floats"], _attribute("to", 1)),
        _node("ReduceMin", ["floats"], ["least"], _KEEP_NONE),
        _node("Sub", ["least", "least"], ["zero"]),
        _node("Add", ["found", "zero"], ["output0"]),
    ]
    inputs = [_value("images", "uint8", [1, side, side, 3])]
    return _write(path, nodes, inputs, {"output0": 1})


def _tensor(element: int, shape: Sequence[int], raw: bytes) -> bytes:
    """Return the attribute `value` of a node `Constant`."""
    tensor = b"".join(_number(1, size) for size in shape) + _number(2, element) + _bytes(9, raw)
    return _bytes(5, _text(1, "value") + _bytes(5, tensor) + _number(20, _ATTRIBUTE_TENSOR))


def _write(
    path: Path,
    nodes: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Mapping[str, int] = MappingProxyType({"vector": 1}),
) -> Path:
    graph = b"".join(_bytes(1, node) for node in nodes) + _text(2, "graph")
    graph += b"".join(_bytes(11, value) for value in inputs)
    for name, element in outputs.items():
        graph += _bytes(12, _text(1, name) + _bytes(2, _bytes(1, _number(1, element))))
    path.write_bytes(_number(1, 7) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, 13)))
    return path


def _node(operator: str, inputs: list[str], outputs: list[str], attributes: bytes = b"") -> bytes:
    names = b"".join(_text(1, name) for name in inputs) + b"".join(_text(2, n) for n in outputs)
    return names + _text(4, operator) + attributes


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, int):
        body = _text(1, name) + _number(3, value) + _number(20, _ATTRIBUTE_INT)
    else:
        numbers = b"".join(_number(8, number) for number in value)
        body = _text(1, name) + numbers + _number(20, _ATTRIBUTE_INTS)
    return _bytes(5, body)


def _value(name: str, element: str, shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(
        _bytes(1, _number(1, size) if isinstance(size, int) else _text(2, size)) for size in shape
    )
    tensor = _number(1, _TYPES[element]) + _bytes(2, sizes)
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _bytes(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode())


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


_KEEP_NONE = _attribute("keepdims", 0)
