"""Residual networks of 18 to 152 layers, with the head that contrastive training needs.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1 and figure 5; the
stride of a bottleneck lies on its 3x3 convolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lightly.embedding.training.settings import ModelOptions

#: Blocks per stage, and whether they are bottlenecks.
_DEPTHS = {
    "resnet-18": ((2, 2, 2, 2), False),
    "resnet-34": ((3, 4, 6, 3), False),
    "resnet-50": ((3, 4, 6, 3), True),
    "resnet-101": ((3, 4, 23, 3), True),
    "resnet-152": ((3, 8, 36, 3), True),
}
_BASE_CHANNELS = 64
_BOTTLENECK_FACTOR = 4
# Of the pictures of ImageNet, as is customary.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    """Two 3x3 convolutions, or three as a bottleneck, around which the input goes unchanged."""

    def __init__(self, n_inputs: int, n_channels: int, *, stride: int, is_bottleneck: bool) -> None:
        super().__init__()
        n_outputs = n_channels * (_BOTTLENECK_FACTOR if is_bottleneck else 1)
        steps = (
            [(n_inputs, n_channels, 1, 1), (n_channels, n_channels, 3, stride),
             (n_channels, n_outputs, 1, 1)]
            if is_bottleneck
            else [(n_inputs, n_channels, 3, stride), (n_channels, n_outputs, 3, 1)]
        )  # fmt: skip
        self.convolutions = nn.ModuleList(_convolve(*step) for step in steps)
        self.norms = nn.ModuleList(nn.BatchNorm2d(step[1]) for step in steps)
        # The block begins as the identity, which keeps deep networks trainable.
        nn.init.zeros_(self.norms[-1].weight)
        self.shortcut = nn.Identity()
        if stride != 1 or n_inputs != n_outputs:
            self.shortcut = nn.Sequential(
                _convolve(n_inputs, n_outputs, 1, stride), nn.BatchNorm2d(n_outputs)
            )

    def forward(self, values: Tensor) -> Tensor:
        """Return (n, n_outputs, height / stride, width / stride)."""
        result = values
        for number, (convolution, norm) in enumerate(
            zip(self.convolutions, self.norms, strict=True)
        ):
            result = norm(convolution(result))
            if number < len(self.norms) - 1:
                result = torch.relu(result)
        return torch.relu(result + self.shortcut(values))


class Backbone(nn.Module):
    """Pixels in, embeddings out.

    Args:
        options: What the network looks like.
    """

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        depths, is_bottleneck = _DEPTHS[options.name]
        n_channels = _BASE_CHANNELS * options.width
        self.stem = make_stem(n_channels, options.input_side)
        blocks: list[nn.Module] = []
        n_inputs = n_channels
        for stage, depth in enumerate(depths):
            n_stage = n_channels * 2**stage
            for number in range(depth):
                stride = 2 if stage > 0 and number == 0 else 1
                blocks.append(Block(n_inputs, n_stage, stride=stride, is_bottleneck=is_bottleneck))
                n_inputs = n_stage * (_BOTTLENECK_FACTOR if is_bottleneck else 1)
        self.blocks = nn.Sequential(*blocks)
        self.features = nn.Linear(n_inputs, options.num_ftrs)
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float of shape (n, num_ftrs) for pixels in 0..1 of shape (n, 3, side, side)."""
        values = self.blocks(self.stem((pixels - self.mean) / self.std))
        return self.features(values.mean(dim=(2, 3)))


class ContrastiveModel(nn.Module):
    """A backbone, and the head whose outputs are compared; the head is of no use afterwards.

    Args:
        options: What the network looks like.
    """

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self.backbone = Backbone(options)
        self.head = nn.Sequential(
            nn.Linear(options.num_ftrs, options.num_ftrs),
            nn.ReLU(),
            nn.Linear(options.num_ftrs, options.out_dim),
        )

    def forward(self, pixels: Tensor) -> Tensor:
        """Return float of shape (n, out_dim)."""
        return self.head(self.backbone(pixels))


def make_stem(n_channels: int, input_side: int) -> nn.Sequential:
    """Return the first layers: they leave about 32 to 64 pixels a side for the stages.

    The published network divides 224 pixels by four before its first stage, which would leave
    nothing of small pictures.
    """
    if input_side >= 128:
        first = nn.Conv2d(3, n_channels, 7, stride=2, padding=3, bias=False)
        return nn.Sequential(
            first, nn.BatchNorm2d(n_channels), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)
        )
    stride = 2 if input_side >= 48 else 1
    return nn.Sequential(_convolve(3, n_channels, 3, stride), nn.BatchNorm2d(n_channels), nn.ReLU())


def _convolve(n_inputs: int, n_outputs: int, size: int, stride: int) -> nn.Conv2d:
    convolution = nn.Conv2d(n_inputs, n_outputs, size, stride=stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution
