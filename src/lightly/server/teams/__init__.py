"""Teams: people and service accounts who work on each other's datasets."""
