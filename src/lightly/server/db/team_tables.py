"""Tables of teams, members, sharing."""

from __future__ import annotations
