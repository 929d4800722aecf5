"""The wire contract as Python classes, shared by server and SDK.

- `swagger_client` and `swagger_codegen` are generated from `openapi/openapi.json` by
  `tools/generate_wire_models.py` and never edited; the second is the same classes under a name
  that older documentation used.
- `wire` is written by hand: what all generated classes are built on.
"""
