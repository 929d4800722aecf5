"""E-mail addresses: the form in which they are kept and compared."""

from __future__ import annotations

MAX_ADDRESS_CHARACTERS = 320
#: Service accounts have addresses below this name, which no mail can ever reach. Nobody can be
#: added with such an address, so nothing can be shared with a service account by guessing it.
SERVICE_ACCOUNT_DOMAIN = "service-accounts.invalid"


def normalise_address(address: str) -> str | None:
    """Return an address in the form in which it is compared, None if it is none.

    >>> normalise_address("Ann@Example.com")
    'ann@example.com'
    >>> normalise_address("ann") is None
    True
    """
    name, at, domain = address.rpartition("@")
    if not (name and at and domain) or len(address) > MAX_ADDRESS_CHARACTERS:
        return None
    if not address.isprintable() or any(character.isspace() for character in address):
        return None
    normal = address.lower()
    # Lower case can be longer: a dotted capital I becomes two characters.
    return normal if len(normal) <= MAX_ADDRESS_CHARACTERS else None


def is_of_service_account(address: str) -> bool:
    """Tell whether a normal address is one of those that service accounts have."""
    return address.rpartition("@")[2] == SERVICE_ACCOUNT_DOMAIN
