"""Names of the prediction tasks that a worker makes itself: they need no files."""

from __future__ import annotations

#: Classes of the shipped model's class head.
AUTO_TAGS_TASK = "lightly_auto_tags"
#: Objects that a detector of the user has found.
PRETAGGING_TASK = "lightly_pretagging"
