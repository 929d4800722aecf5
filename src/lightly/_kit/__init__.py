"""Leaf module, standard library only: what every layer may use."""
