"""Why a configuration is refused.

InvalidConfiguration
├── MalformedConfiguration      a key or a value breaks a rule of its own
└── ContradictoryConfiguration  each value is fine, but not together with another one
"""

from __future__ import annotations

from lightly._kit.errors import BadInput


class InvalidConfiguration(BadInput):
    """The configuration cannot be used."""


class MalformedConfiguration(InvalidConfiguration):
    """A key or a value breaks a rule."""


class ContradictoryConfiguration(InvalidConfiguration):
    """Two values do not fit together."""
