"""Cutting objects out of images."""
