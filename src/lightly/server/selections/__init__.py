"""Selections within a dataset: asked for, carried out, explained."""
