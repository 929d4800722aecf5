"""One file with everything that a server knows, and a server made from such a file."""
