"""What the generated wire models are built on."""
