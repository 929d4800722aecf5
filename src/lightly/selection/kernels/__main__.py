"""Compile the engine's loops ahead of the first selection that uses them.

python -m lightly.selection.kernels
"""

from __future__ import annotations

from lightly.selection.kernels.loading import (
    load_dense_kernels,
    load_gain_kernels,
    load_kernels,
    load_mixing_kernels,
    load_near_pair_kernels,
    load_neighbour_kernels,
)

if __name__ == "__main__" and load_kernels() is not None:
    load_dense_kernels()
    load_neighbour_kernels()
    load_gain_kernels()
    load_mixing_kernels()
    load_near_pair_kernels()
