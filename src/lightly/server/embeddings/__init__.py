"""Embeddings of a dataset."""
