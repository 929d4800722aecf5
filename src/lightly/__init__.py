"""Data curation for computer vision on your own machines: server, SDK, selection, worker."""

__version__ = "2.0.0"
