"""The selection engine against its peers: time, memory and quality."""
