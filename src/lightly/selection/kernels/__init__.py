"""The compiled inner loops of the engine. Nothing is imported or compiled before it pays."""
