"""What examining the frames of a video gives: plain values, as the embedding child sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lightly.media.sandbox_protocol import Message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ExaminedFrame:
    """Everything about one frame: what is recorded about it, and its vector.

    Attributes:
        index: Its number in the video, from 0.
        timestamp: When it is shown, in units of the stream; None if not known.
        timestamp_s: The same in seconds.
        is_key: Whether decoding can begin at it.
        corruption: Why it cannot be used; None for a good frame.
        digest: SHA-256 of its pixels; empty for a corrupt frame.
        metadata: As in `lightly.media.reports.ImageReport`; `size_in_bytes` only if asked for.
        thumbnail: A WebP preview.
        vector: float32 of shape (dim,); None for a corrupt frame.
    """

    index: int
    timestamp: int | None
    timestamp_s: float | None
    is_key: bool
    corruption: str | None
    digest: bytes
    metadata: dict[str, Any] | None
    thumbnail: bytes | None
    vector: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class VideoEnd:
    """What is known of a video whose frames have all come.

    Attributes:
        n_frames: How many there are, corrupt ones included.
        n_promised: How many the container says there are; 0 if it does not say.
        is_seekable: Whether a time stamp stands for one frame.
        problem: What of the video is missing; None if nothing is.
    """

    n_frames: int
    n_promised: int = 0
    is_seekable: bool = False
    problem: str | None = None


FrameOrEnd: TypeAlias = ExaminedFrame | VideoEnd


def read_answers(
    answers: Iterable[Message], read_vectors: Callable[[Message, int], NDArray[np.float32]]
) -> Iterator[FrameOrEnd]:
    """Yield what an embedding child has found out about a video.

    Args:
        answers: Of the child.
        read_vectors: Returns so many vectors of an answer.
    """
    for answer in answers:
        header = answer.header
        if header["kind"] == "end":
            yield VideoEnd(
                header["n_frames"], header["n_promised"], header["is_seekable"], header["problem"]
            )
            continue
        n_good = sum(entry["corruption"] is None for entry in header["frames"])
        good = zip(answer.blobs, read_vectors(answer, n_good), strict=False)
        for entry in header["frames"]:
            is_good = entry["corruption"] is None
            yield _read_frame(entry, *(next(good) if is_good else (None, None)))


def _read_frame(
    entry: dict[str, Any], thumbnail: bytes | None, vector: NDArray[np.float32] | None
) -> ExaminedFrame:
    return ExaminedFrame(
        index=entry["index"],
        timestamp=entry["timestamp"],
        timestamp_s=entry.get("timestamp_s"),
        is_key=entry["is_key"],
        corruption=entry["corruption"],
        digest=bytes.fromhex(entry.get("digest", "")),
        metadata=entry.get("metadata"),
        thumbnail=thumbnail,
        vector=vector,
    )
