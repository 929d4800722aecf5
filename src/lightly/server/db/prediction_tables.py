"""Tables of predictions and their tasks."""

from __future__ import annotations
