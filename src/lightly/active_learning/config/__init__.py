"""Configuration of selections."""

from lightly.active_learning.config.sampler_config import SamplerConfig
from lightly.active_learning.config.selection_config import SamplingConfig, SelectionConfig

__all__ = ["SamplerConfig", "SamplingConfig", "SelectionConfig"]
