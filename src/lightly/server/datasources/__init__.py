"""Datasources: where the images of a dataset lie, and what the server may do there."""
