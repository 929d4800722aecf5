"""Configuration of selections."""

from lightly.active_learning.config.selection_config import SamplingConfig, SelectionConfig

__all__ = ["SamplingConfig", "SelectionConfig"]
