"""The engine's sizes, which change how fast it is and must never change what it picks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import ModuleType
from unittest.mock import patch

from lightly.selection import (
    balance,
    code_pool,
    dense_picks,
    direct_picks,
    direct_walk,
    embeddings,
    farthest,
    mixture,
    nearest,
    neighbours,
    product_pool,
)
from lightly.selection.kernels import loading

_PLACES: Mapping[str, tuple[ModuleType, str]] = {
    "block_picks": (product_pool, "BLOCK_PICKS"),
    "tile_rows": (product_pool, "_TILE_ROWS"),
    "cache_bytes": (product_pool, "_PIVOT_CACHE_BYTES"),
    "chunk_bytes": (embeddings, "CHUNK_BYTES"),
    "chunk_rows": (embeddings, "FEWEST_CHUNK_ROWS"),
    "measured_bytes": (embeddings, "_MEASURED_BYTES"),
    "batch_bytes": (code_pool, "BATCH_BYTES"),
    "thread_products": (code_pool, "_WORTH_A_THREAD"),
    "ns_to_pack": (direct_picks, "NS_TO_PACK"),
    "ns_to_pack_large": (direct_picks, "NS_TO_PACK_LARGE"),
    "direct_picks_large": (direct_picks, "MOST_PICKS_LARGE"),
    "direct_picks_alone": (direct_picks, "MOST_PICKS_ALONE"),
    "quick_products": (direct_picks, "QUICK_PRODUCTS"),
    "most_near": (direct_walk, "MOST_NEAR"),
    "measured_rows": (direct_walk, "_MEASURED_ROWS"),
    "few_direct_picks": (direct_walk, "_FEW_PICKS"),
    "dense_bytes": (dense_picks, "LARGEST_BYTES"),
    "dense_worth_bytes": (dense_picks, "_WORTH_BYTES"),
    "fewest_dense_picks": (dense_picks, "_FEWEST_PICKS"),
    "dense_products": (farthest, "_DENSE_PRODUCTS_PER_BEAT"),
    "first_picks": (nearest, "_FIRST_PICKS"),
    "picks_per_beat": (farthest, "_PICKS_PER_BEAT"),
    "resident_bytes": (farthest, "RESIDENT_BYTES"),
    "pool_rows": (farthest, "FIRST_POOL_ROWS"),
    "fewest_pool_rows": (farthest, "_SMALLEST_POOL_ROWS"),
    "few_picks": (farthest, "_FEW_PICKS"),
    "many_picks": (farthest, "_MANY_PICKS"),
    "whole_rows": (mixture, "WHOLE_ROWS"),
    "mixed_pool_rows": (mixture, "FIRST_POOL_ROWS"),
    "fewest_mixed_rows": (mixture, "_SMALLEST_POOL_ROWS"),
    "most_mixed_rows": (mixture, "_LARGEST_POOL_ROWS"),
    "batch_rows": (mixture, "_BATCH_ROWS"),
    "neighbour_rows": (neighbours, "_TILE_ROWS"),
    "neighbour_columns": (neighbours, "_TILE_COLUMNS"),
    "neighbour_group": (neighbours, "_GROUP_ROWS"),
    "chunk_values": (balance, "_CHUNK_VALUES"),
}

SMALL: Mapping[str, int] = {
    "block_picks": 4,
    "tile_rows": 5,
    "cache_bytes": 400,
    "chunk_bytes": 1,
    "chunk_rows": 7,
    "measured_bytes": 90,
    "batch_bytes": 40,
    "thread_products": 50,
    "ns_to_pack": 0,
    "ns_to_pack_large": 0,
    "direct_picks_large": 0,
    "direct_picks_alone": 0,
    "quick_products": 0,
    "dense_bytes": 0,
    "dense_worth_bytes": 1,
    "fewest_dense_picks": 3,
    "dense_products": 50,
    "first_picks": 3,
    "picks_per_beat": 2,
    "resident_bytes": 0,
    "pool_rows": 6,
    "fewest_pool_rows": 2,
    "few_picks": 1,
    "many_picks": 3,
    "whole_rows": 0,
    "mixed_pool_rows": 6,
    "fewest_mixed_rows": 2,
    "most_mixed_rows": 16,
    "batch_rows": 2,
    "neighbour_rows": 4,
    "neighbour_columns": 5,
    "neighbour_group": 3,
    "chunk_values": 64,
}


def list_settings(sizes: Mapping[str, int]) -> list[tuple[ModuleType, str, int]]:
    """Return module, attribute and value of each size."""
    return [(*_PLACES[name], value) for name, value in sizes.items()]


@contextmanager
def tuned(sizes: Mapping[str, int]) -> Iterator[None]:
    """Use these sizes inside the block."""
    with ExitStack() as stack:
        for module, name, value in list_settings(sizes):
            stack.enter_context(patch.object(module, name, value))
        yield


@contextmanager
def without_kernels() -> Iterator[None]:
    """Measure with matrix products inside the block, as on a processor without the loops."""
    with patch.object(loading, "_loaded", [None]):
        yield
