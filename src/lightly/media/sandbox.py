"""A pool of child processes that decode bytes of strangers.

A decoder that crashes, hangs or eats memory costs one item, which gets a reason; its process is
replaced and the work goes on. Results come in input order, with a bounded number in flight.

Source: threat T28 of the project's threat list.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from lightly.media import limits
from lightly.media.errors import CorruptVideo
from lightly.media.frame_report import FrameReport
from lightly.media.image_report import ImageReport, ImageSource, measure_source
from lightly.media.model_input import ResizeRule
from lightly.media.sandbox_process import ChildSettings
from lightly.media.sandbox_protocol import Message
