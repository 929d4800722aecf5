"""What happens on the server, told to pages while they are open."""
