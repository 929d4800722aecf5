"""Images in, objects out: processes that decode and run a detector."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from lightly.embedding.detectors import Detector, format_detector
from lightly.embedding.pool import count_cores
from lightly.embedding.registry import check_unchanged, measure_sha256
from lightly.media.limits import MEMORY_BYTES
from lightly.media.sandbox import DecodePool, make_request
from lightly.media.sandbox_process import ChildSettings
from lightly.media.sandbox_protocol import Message

#: Beyond the decoder's own memory: activations of the largest common detectors, and weights.
_MODEL_BYTES = 2 * 1024**3
_WEIGHT_COPIES = 5


class DetectionPool:
    """Finds objects in images, in child processes, in order.

    Args:
        detector: What to run.
        n_processes: How many processes; default one per core that this process may use.

    Raises:
        UnusableModel: On entering, if the file of the detector is missing or was changed.
    """

    def __init__(self, detector: Detector, *, n_processes: int | None = None) -> None:
        self._detector = detector
        chosen = n_processes or count_cores()
        job = {
            "entry": format_detector(detector),
            "path": str(detector.path),
            "n_threads": max(1, count_cores() // chosen),
        }
        size_bytes = detector.path.stat().st_size if detector.path.is_file() else 0
        memory_bytes = MEMORY_BYTES + _MODEL_BYTES + _WEIGHT_COPIES * size_bytes
        self._pool = DecodePool(
            chosen,
            look_ahead=2 * chosen,
            settings=ChildSettings(memory_bytes=memory_bytes),
            command=[
                sys.executable, "-P", "-m", "lightly.embedding.detection_child", json.dumps(job),
            ],
        )  # fmt: skip

    def __enter__(self) -> Self:
        """Check the detector and start the processes."""
        detector = self._detector
        found_sha256 = measure_sha256(detector.path)
        check_unchanged("detector", detector.id, found_sha256, detector.sha256)
        self._pool.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes, whatever they are doing."""
        self._pool.__exit__(kind, error, trace)

    def detect(self, images: Iterable[bytes]) -> Iterator[list[dict[str, Any]] | str]:
        """Yield the objects of every image, or why there are none to tell, in input order.

        Args:
            images: Whole files.
        """
        requests = (make_request("detect", image) for image in images)
        for answer in self._pool.ask(requests):
            yield answer.header["objects"] if isinstance(answer, Message) else answer
