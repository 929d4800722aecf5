"""The whole schema: importing this module registers every table with `metadata`."""

from __future__ import annotations

from lightly.server.db import (
    datasource_tables,
    legacy_tables,
    neighborhood_tables,
    prediction_tables,
    run_tables,
    selection_tables,
    tables,
    team_tables,
    web_tables,
)
from lightly.server.db.columns import metadata

TABLE_MODULES = (
    tables,
    team_tables,
    datasource_tables,
    prediction_tables,
    run_tables,
    legacy_tables,
    selection_tables,
    web_tables,
    neighborhood_tables,
)

__all__ = ["TABLE_MODULES", "metadata"]
