"""What the report is made of: the numbers of a finished selection, gathered once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly.worker.report.distances import Vectors
from lightly.worker.runs.excluded import InputCounts

#: Metadata of every image that the report shows, by their names in selections.
LIGHTLY_FIELDS = {
    "sharpness": "sharpness",
    "snr": "snr",
    "sizeInBytes": "size_in_bytes",
    "luminance": "luminance",
    "uniformRowRatio": "uniform_row_ratio",
}
#: Pairs of a selected image and a removed one, unless a run asks for another number.
N_PAIRS = 12


@dataclass(frozen=True)
class VideoSizes:
    """How the videos of a run were used.

    Attributes:
        counts: What became of the videos of the input.
        n_selected: Videos with a selected frame.
        n_datapool: Videos with a frame of earlier runs.
        n_together: Videos with a frame of either.
    """

    counts: InputCounts
    n_selected: int
    n_datapool: int
    n_together: int


@dataclass(frozen=True)
class VideoTimeline:
    """The selected frames of one video.

    Attributes:
        video: Its name.
        n_frames: How many frames it has.
        selected: Numbers of the selected ones, ascending.
    """

    video: str
    n_frames: int
    selected: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """A run as its report sees it.

    Attributes:
        run_id: The run.
        run_url: Where people look at it.
        dataset_id: The dataset.
        dataset_name: Its name.
        dataset_url: Where people look at it.
        started_s: When the run began, seconds since 1970.
        ended_s: When the report was made.
        counts: What became of the input.
        engine_version: Version of the worker.
        videos: How videos were used; None if the input are images.
    """

    run_id: str
    run_url: str
    dataset_id: str
    dataset_name: str
    dataset_url: str
    started_s: float
    ended_s: float
    counts: InputCounts
    engine_version: str
    videos: VideoSizes | None = None


@dataclass(frozen=True)
class MetadataValues:
    """Metadata of some images, in their order.

    Attributes:
        numbers: Values by name of the field, NaN where there is none.
        categories: Likewise for categories, None where there is none.
    """

    numbers: Mapping[str, NDArray[np.float64]]
    categories: Mapping[str, Sequence[str | None]]


NO_VALUES = MetadataValues({}, {})


@dataclass(frozen=True, kw_only=True)
class SelectionFacts:
    """The images of a run, before and after.

    Attributes:
        embeddings: As the selection saw them, shape (n, d).
        datapool: Embeddings of what was selected in earlier runs, shape (m, d).
        picks: Positions of what was selected, in the order in which it was.
        random: As many positions by chance, always the same.
        names: Names of the images that are shown by name, by position.
        numbers: Values of all images by name of the field, NaN where there is none.
        categories: Likewise for categories, None where there is none.
        of_datapool: Metadata of what was selected in earlier runs.
        n_pairs: How many selected images are shown with the removed one that is nearest.
    """

    embeddings: Vectors
    datapool: Vectors
    picks: NDArray[np.int64]
    random: NDArray[np.int64]
    names: Mapping[int, str]
    numbers: Mapping[str, NDArray[np.float64]]
    categories: Mapping[str, Sequence[str | None]]
    of_datapool: MetadataValues = NO_VALUES
    n_pairs: int = N_PAIRS


def pick_at_random(n_candidates: int, n_picks: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Return positions by chance; the same seed gives the same ones."""
    generator = np.random.default_rng(seed)
    return np.sort(generator.choice(n_candidates, min(n_picks, n_candidates), replace=False))
