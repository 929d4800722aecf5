"""Tables of compute workers, their configurations, schedules, runs."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of compute workers, their configurations, schedules, runs."""
