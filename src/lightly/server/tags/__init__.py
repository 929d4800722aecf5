"""Tags of a dataset."""
