"""What selection refuses, and how it says so."""

from __future__ import annotations

from lightly._kit.errors import BadInput, LightlyError


class InvalidSelectionInput(BadInput):
    """A value given to the selection breaks a rule. The message names it and the remedy."""

    code = "invalid_selection_input"


class SelectionCancelled(LightlyError):
    """The selection was cancelled before it finished. Nothing was selected."""

    code = "selection_cancelled"
