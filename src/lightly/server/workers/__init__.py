"""Compute workers and the configurations of their runs."""
