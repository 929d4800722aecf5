"""What samples have near them: groups of near-duplicates, and outliers."""
