"""Samples of a dataset."""
