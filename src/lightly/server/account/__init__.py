"""What belongs to a user alone: API tokens, teams, favourites."""
