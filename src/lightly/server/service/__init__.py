"""The server about itself: health, versions, quota."""
