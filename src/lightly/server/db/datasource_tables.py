"""Tables of datasources."""

from __future__ import annotations
