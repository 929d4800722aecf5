"""Blocks of frames selected as one."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.selection import (
    Balance,
    Diversity,
    InvalidSelectionInput,
    Objects,
    Random,
    Similarity,
    Threshold,
    Typicality,
    Weights,
    cut_sequences,
    group_strategies,
    select,
)

VIDEOS = [0, 0, 0, 0, 0, 1, 1, 1, -1]
NUMBERS = [0, 1, 2, 3, 4, 2, 0, 1, 0]


@pytest.fixture
def blocks():
    """Frames 0-1, 2-3 of the first video and 6-7 of the second, whose order is 6, 7, 5."""
    return cut_sequences(VIDEOS, NUMBERS, 2)[0]


def test_blocks_follow_the_frame_order_and_drop_the_rest(blocks):
    assert len(blocks) == 3
    assert blocks.list_frames([0, 1, 2]).tolist() == [0, 1, 2, 3, 6, 7]
    assert blocks.find_blocks().tolist() == [0, 0, 1, 1, -1, -1, 2, 2, -1]


def test_frames_that_may_not_be_selected_are_left_out():
    is_candidate = np.array([True] * 9)
    is_candidate[1] = False

    blocks, _ = cut_sequences(VIDEOS, NUMBERS, 2, candidates=is_candidate)

    assert blocks.list_frames(range(len(blocks))).tolist() == [0, 2, 3, 4, 6, 7]


def test_preselected_frames_make_blocks_of_their_own_incomplete_ones_too():
    blocks, chosen = cut_sequences(VIDEOS, NUMBERS, 2, preselected=[0, 1, 2])

    assert chosen.tolist() == [0, 1]
    assert blocks.list_frames(chosen).tolist() == [0, 1, 2]
    assert blocks.list_frames([2, 3]).tolist() == [3, 4, 6, 7]


def test_no_frame_at_all_makes_no_block():
    blocks, chosen = cut_sequences([], [], 3)

    assert (len(blocks), chosen.tolist()) == (0, [])


def test_a_length_below_one_is_refused():
    with pytest.raises(InvalidSelectionInput, match="at least 1"):
        cut_sequences(VIDEOS, NUMBERS, 0)


def test_embeddings_of_blocks_are_means(blocks):
    rows = np.arange(18, dtype=np.float32).reshape(9, 2)

    (grouped,) = group_strategies([Diversity(rows, min_distance=1.0)], blocks)

    assert grouped.embeddings.tolist() == [[1, 2], [5, 6], [13, 14]]
    assert grouped.min_distance == 1.0


def test_weights_are_sums_and_thresholds_compare_means(blocks):
    values = np.arange(9.0)
    missing = np.array([True, False, True, True, False, False, False, False, False])
    weights = Weights(values, missing=missing, max_sum=5.0)
    threshold = Threshold(values, threshold=1, operation="BIGGER", missing=missing)

    summed, averaged = group_strategies([weights, threshold], blocks)

    assert summed.values.tolist() == [1, 0, 13]
    assert summed.missing.tolist() == [False, True, False]
    assert averaged.values.tolist() == [1, 0, 6.5]


def test_class_shares_of_blocks_are_sums(blocks):
    codes = [0, 1, 1, 1, 0, 0, -1, 2, 0]

    (grouped,) = group_strategies([Balance(codes, target={2: 1.0})], blocks)

    assert grouped.classes.tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 1]]


def test_objects_of_blocks_are_those_of_all_frames(blocks):
    objects = Objects([[1.0], [2.0], [3.0]], owners=[1, 4, 7], n_samples=9)

    (grouped,) = group_strategies([Diversity(objects)], blocks)

    assert grouped.embeddings.owners.tolist() == [0, 2]
    assert grouped.embeddings.embeddings.tolist() == [[1], [3]]


def test_random_numbers_of_blocks_are_those_of_their_first_frames(blocks):
    random = Random([f"{i}.png" for i in range(9)], seed=2)

    (grouped,) = group_strategies([Weights(random)], blocks)

    assert grouped.values.tolist() == random.draw()[[0, 2, 6]].tolist()


def test_a_whole_selection_of_sequences():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 8)).astype(np.float32)
    videos, numbers = np.arange(400) // 40, np.arange(400) % 40
    blocks, _ = cut_sequences(videos, numbers, 4)
    strategies = [
        Diversity(rows),
        Typicality(rows),
        Similarity(rows, rows[:3]),
        Weights(rows[:, 0]),
    ]

    result = select(n_samples=10, strategies=group_strategies(strategies, blocks))

    frames = blocks.list_frames(result.indices)
    assert len(set(frames.tolist())) == 40
    assert (videos[frames].reshape(10, 4) == videos[frames[::4], None]).all()
    assert (np.diff(numbers[frames].reshape(10, 4), axis=1) == 1).all()


def test_the_minimum_distance_is_one_of_blocks():
    # Means of the blocks: 0, 5, 3; frames of different blocks are as near as 1 to each other.
    rows = np.array([[-4], [4], [4], [6], [3], [3]], dtype=np.float32)
    blocks, _ = cut_sequences(np.arange(6) // 2, np.arange(6) % 2, 2)

    def select_apart(min_distance):
        strategies = group_strategies([Diversity(rows, min_distance=min_distance)], blocks)
        return select(n_samples=None, strategies=strategies).indices.tolist()

    assert select_apart(2.0) == [0, 1, 2]
    assert select_apart(2.5) == [0, 1]


def test_means_do_not_depend_on_how_many_blocks_there_are(embeddings, monkeypatch):
    from lightly.selection import sequences

    blocks, _ = cut_sequences(np.zeros(300, int), np.arange(300), 7)
    (usual,) = group_strategies([Diversity(embeddings)], blocks)
    monkeypatch.setattr(sequences, "_FRAMES_AT_ONCE", 8)

    (hurried,) = group_strategies([Diversity(embeddings)], blocks)

    assert hurried.embeddings.tolist() == usual.embeddings.tolist()
