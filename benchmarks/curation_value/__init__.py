"""What a selection is worth: accuracy against the number of labelled images."""
