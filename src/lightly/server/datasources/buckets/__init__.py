"""Datasources in buckets: S3, GCS, Azure and whatever speaks the language of S3."""
