"""Typed columns over the samples of a dataset: what plots, filters and histograms read."""
