"""Bytes: images, thumbnails, embeddings. One interface, a local folder behind it now."""
