"""One run from its claim to its end, stage after stage."""
