"""Metadata of a dataset."""
