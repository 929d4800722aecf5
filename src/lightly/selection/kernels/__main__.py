"""Compile the engine's loops ahead of the first selection that uses them.

python -m lightly.selection.kernels
"""

from __future__ import annotations

from lightly.selection.kernels.loading import FURTHER, load_kernels, load_more_kernels

if __name__ == "__main__" and load_kernels() is not None:
    for name in FURTHER:
        load_more_kernels(name)
