"""How far every sample is from a tag: measured by a job, kept beside the vectors."""
