"""The artifact that lists selected sequences."""

from __future__ import annotations

from lightly.data.selection_plan.sequence_information import Frame, describe_sequences
from lightly.selection import cut_sequences


def test_every_selected_block_is_listed_in_pick_order():
    frames = [Frame(f"{v}.mp4", f"{v}-{i}.png", i, 512 * i, i / 25) for v in "ab" for i in range(4)]
    blocks, _ = cut_sequences([0] * 4 + [1] * 4, [0, 1, 2, 3] * 2, 2)

    listed = describe_sequences(blocks, [3, 0], frames)

    assert listed[0] == {
        "video_name": "b.mp4",
        "frame_names": ["b-2.png", "b-3.png"],
        "frame_timestamps_pts": [1024, 1536],
        "frame_timestamps_sec": [0.08, 0.12],
        "frame_indices": [2, 3],
    }
    assert [entry["video_name"] for entry in listed] == ["b.mp4", "a.mp4"]
