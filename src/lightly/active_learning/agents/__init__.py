"""Rounds of choosing, labelling, and choosing again."""

from lightly.active_learning.agents.agent import ActiveLearningAgent

__all__ = ["ActiveLearningAgent"]
