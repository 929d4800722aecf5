"""Keys of this server, kept outside of the database."""
