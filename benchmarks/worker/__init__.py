"""What the compute worker costs beyond the work that has to be done."""
