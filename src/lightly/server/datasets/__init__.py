"""Datasets: named, ordered collections of samples with one owner."""
