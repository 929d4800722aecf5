"""The per-image work of a run, in shards of some hundred files that can be done again."""
