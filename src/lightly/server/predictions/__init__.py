"""Predictions of models: their tasks, what they say of samples, active-learning scores."""
