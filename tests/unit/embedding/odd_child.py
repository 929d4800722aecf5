"""An embedding child whose decoder crashes or hangs on certain bytes, started by the tests."""

from __future__ import annotations

import os
import time

from lightly.embedding import embedding_child
from lightly.media.model_input import load_model_pixels


def misbehave(data: bytes, rule):
    if data == b"crash":
        os.abort()
    if data == b"eat":
        raise MemoryError
    if data == b"sleep":
        time.sleep(600)
    return load_model_pixels(data, rule)


if __name__ == "__main__":
    embedding_child.load_model_pixels = misbehave
    embedding_child.main()
