"""Tables of compute workers, their configurations, schedules, runs."""

from __future__ import annotations
