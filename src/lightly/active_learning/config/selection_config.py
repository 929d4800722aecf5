"""How many samples a selection takes, and by which method."""

from __future__ import annotations

import math
import warnings
from datetime import datetime

from lightly._kit.errors import BadInput
from lightly.openapi_generated.swagger_client.models.sampling_method import SamplingMethod

#: Stands for "not set" in both stopping conditions.
UNSET = -1


class SelectionConfig:
    """What a selection takes, and by which method.

    Attributes:
        method: One of CORESET, RANDOM, CORAL, ACTIVE_LEARNING.
        n_samples: Stop at this many samples, those of the preselected tag included. A number
            between 0 and 1 is a share of all samples; -1 sets no such limit.
        min_distance: Stop before two chosen samples are closer than this; -1 sets no such limit.
        name: Name of the selection and of the tag that it makes. Made of the other values and the
            time if left out.

    Raises:
        ValueError: If a value is outside of its range.

    Examples:
        >>> SelectionConfig(method="CORESET", n_samples=100, name="first round").n_samples
        100
        >>> # let the distance decide how many
        >>> SelectionConfig(n_samples=-1, min_distance=0.1, name="spread").method
        <SamplingMethod.CORESET: 'CORESET'>
    """

    def __init__(
        self,
        method: SamplingMethod | str = SamplingMethod.CORESET,
        n_samples: float = 32,
        min_distance: float = UNSET,
        name: str | None = None,
    ) -> None:
        self.method = _read_method(method)
        self.n_samples = _check_n_samples(n_samples)
        self.min_distance = _check_min_distance(min_distance)
        if name is None:
            # The same digits as on the user's clock, because people read them.
            moment = datetime.now().astimezone().strftime("%m_%d_%Y__%H_%M_%S")
            name = f"{self.method}_{self.n_samples}_{self.min_distance}_{moment}"
        self.name = name

    def __repr__(self) -> str:
        return (
            f"SelectionConfig(method={self.method.value!r}, n_samples={self.n_samples!r}, "
            f"min_distance={self.min_distance!r}, name={self.name!r})"
        )


class SamplingConfig(SelectionConfig):
    """The former name of `SelectionConfig`."""

    def __init__(
        self,
        method: SamplingMethod | str = SamplingMethod.CORESET,
        n_samples: float = 32,
        min_distance: float = UNSET,
        name: str | None = None,
    ) -> None:
        warnings.warn(
            "SamplingConfig is now called SelectionConfig.", PendingDeprecationWarning, stacklevel=2
        )
        super().__init__(method, n_samples, min_distance, name)


def pick_config(
    selection_config: SelectionConfig | None, sampler_config: SelectionConfig | None
) -> SelectionConfig:
    """Return the configuration that was given under its name of today or that of clients 1.0, 1.1.

    Raises:
        TypeError: If there are two or none.
    """
    config = sampler_config if selection_config is None else selection_config
    if config is None or (selection_config is not None and sampler_config is not None):
        raise TypeError("Pass one configuration: selection_config=SelectionConfig(...).")
    return config


def _read_method(method: SamplingMethod | str) -> SamplingMethod:
    try:
        return SamplingMethod(method)
    except ValueError:
        allowed = ", ".join(member.value for member in SamplingMethod)
        raise BadInput(f"'method' must be one of {allowed}, got {ascii(method)[:60]}.") from None


def _check_n_samples(n_samples: float) -> float:
    is_count = n_samples == UNSET or (n_samples >= 1 and float(n_samples).is_integer())
    if not (is_count or 0 < n_samples < 1):
        raise BadInput(
            "'n_samples' must be a whole number from 1 on, a share between 0 and 1, or -1 for no "
            f"limit. Got {n_samples!r}."
        )
    return n_samples


def _check_min_distance(min_distance: float) -> float:
    if not (min_distance == UNSET or (min_distance >= 0 and math.isfinite(min_distance))):
        raise BadInput(
            f"'min_distance' must be 0 or more, or -1 for no limit. Got {min_distance!r}."
        )
    return min_distance
