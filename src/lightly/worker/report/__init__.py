"""What a run has to say about itself: distributions before and after, pictures, tables."""
