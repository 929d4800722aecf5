"""Self-supervised training of an embedding model on one's own images: the extra `train`.

PyTorch is imported by the child process only, so nothing here slows down or weighs on whoever does
not train.
"""
