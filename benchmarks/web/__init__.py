"""Figures of the web app, measured in a real browser."""
