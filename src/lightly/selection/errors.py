"""What selection refuses, and how it says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lightly._kit.errors import BadInput, LightlyError

if TYPE_CHECKING:
    from lightly.selection.state import SelectionState


class InvalidSelectionInput(BadInput):
    """A value given to the selection breaks a rule. The message names it and the remedy."""

    code = "invalid_selection_input"


class SelectionCancelled(LightlyError):
    """The selection was cancelled before it finished. Nothing was selected.

    Args:
        message: Instead of the usual one.
        save_state: Makes the state at the last pick.
    """

    code = "selection_cancelled"

    def __init__(
        self, message: str | None = None, *, save_state: Callable[[], SelectionState] | None = None
    ) -> None:
        super().__init__(message or "The selection was cancelled. Nothing was selected.")
        self._save_state = save_state

    def save_state(self) -> SelectionState | None:
        """Return the state at the last pick, from which a later run can go on.

        Reads the input once, about a second per gigabyte. None if the run was cancelled before it
        looked for its first pick.
        """
        return None if self._save_state is None else self._save_state()
