"""From trained weights to the ONNX file that embeddings are computed with."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from lightly._kit.atomic_files import open_atomic
from lightly.embedding.training.resnet import Backbone, ContrastiveModel
from lightly.embedding.training.settings import ModelOptions

INPUT_NAME, OUTPUT_NAME = "images", "embedding"
_OPSET = 18


class PixelsToEmbedding(nn.Module):
    """The backbone on pixels as they are decoded: uint8 of shape (n, side, side, 3)."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor) -> Tensor:
        """Return float32 of shape (n, num_ftrs)."""
        return self.backbone(images.permute(0, 3, 1, 2).float() / 255)


def export_model(model: ContrastiveModel, options: ModelOptions, path: Path) -> None:
    """Write the backbone as an ONNX file; the same weights give the same file."""
    network = PixelsToEmbedding(model.backbone).cpu().eval()
    side = options.input_side
    example = torch.zeros((2, side, side, 3), dtype=torch.uint8)
    with warnings.catch_warnings():
        # What the exporter says of its own plans; whether the graph is right is checked by running.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            network,
            (example,),
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            opset_version=_OPSET,
            dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            dynamo=True,
            verbose=False,
        )
    graph = program.model_proto
    _drop_origins(graph)
    with open_atomic(path) as file:
        file.write(graph.SerializeToString(deterministic=True))


def _drop_origins(graph: onnx.ModelProto) -> None:
    """Remove what tells where the exporter ran: it would make equal models unequal."""
    del graph.metadata_props[:]
    for place in (graph.graph, *graph.functions):
        del place.metadata_props[:]
        for node in place.node:
            del node.metadata_props[:]
            node.doc_string = ""
    for value in (*graph.graph.input, *graph.graph.output, *graph.graph.value_info):
        del value.metadata_props[:]
    for weights in graph.graph.initializer:
        del weights.metadata_props[:]
