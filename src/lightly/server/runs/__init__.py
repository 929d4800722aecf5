"""Schedules and runs of compute workers: who works on what, what came of it."""
