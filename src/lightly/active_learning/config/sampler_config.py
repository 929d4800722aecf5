"""The name of the selection's configuration up to client 1.1."""

from __future__ import annotations

import warnings

from lightly.active_learning.config.selection_config import UNSET, SelectionConfig
from lightly.openapi_generated.swagger_client.models.sampling_method import SamplingMethod


class SamplerConfig(SelectionConfig):
    """The name of `SelectionConfig` up to client 1.1."""

    def __init__(
        self,
        method: SamplingMethod | str = SamplingMethod.CORESET,
        n_samples: float = 32,
        min_distance: float = UNSET,
        name: str | None = None,
    ) -> None:
        warnings.warn(
            "SamplerConfig is now called SelectionConfig.", PendingDeprecationWarning, stacklevel=2
        )
        super().__init__(method, n_samples, min_distance, name)
