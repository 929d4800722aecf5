"""Exports of a dataset."""
