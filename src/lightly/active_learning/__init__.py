"""Choosing which samples to label next."""
