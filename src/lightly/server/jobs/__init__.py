"""Background work of the server that survives a restart."""
