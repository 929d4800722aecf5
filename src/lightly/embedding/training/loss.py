"""The contrastive loss NT-Xent.

Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020,
equation 1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def compute_contrastive_loss(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return how badly views of the same picture are told from those of others; a scalar.

    Args:
        first: Float of shape (n, out_dim), one view of each picture.
        second: The same shape, another view of the same pictures.
        temperature: How much near ones count against far ones.
    """
    n_pictures = len(first)
    # In full precision also where the network is not: exponentials of small differences follow.
    vectors = functional.normalize(torch.cat([first, second]).float(), dim=1)
    similarities = vectors @ vectors.T / temperature
    similarities.fill_diagonal_(float("-inf"))
    partners = torch.arange(2 * n_pictures, device=vectors.device).roll(n_pictures)
    return functional.cross_entropy(similarities, partners)
