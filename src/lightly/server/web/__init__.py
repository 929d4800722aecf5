"""Serving the web app's files."""
