"""The REST server: `/v1` as in the wire contract, everything of ours below `/ext/v1`."""
