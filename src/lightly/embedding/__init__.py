"""Vectors for images: the model registry, ONNX sessions, and folders turned into a CSV.

Start with `lightly.embedding.folders.embed_folder` or `lightly.embedding.pool.embed_images`.
"""
