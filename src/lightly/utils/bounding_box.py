"""`BoundingBox` where clients from 1.3 on have it."""

from lightly.active_learning.utils.bounding_box import BoundingBox

__all__ = ["BoundingBox"]
