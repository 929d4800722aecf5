"""Configurations of runs: read once, in any spelling, and refused with a reason people can act on.

`reading.read_configuration` is the way in. Keys may be snake_case, as people write them in Python,
or camelCase, as they travel; what comes out is the wire form. Shape and ranges come from the wire
models, what they cannot say (which values go together) from the rules in this package.
"""
