"""The server behind `lightly.api.serve`: reading requests, finding files, sending them."""
