"""Where this process may connect to on behalf of a user: public addresses, and what is opened.

Names that users give are resolved here and nowhere else, and whoever connects takes an address
that was checked: a name that leads elsewhere a moment later changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from lightly._kit.errors import BadInput, LightlyError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Prefixes whose addresses carry an IPv4 address in their last 32 bits.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class EgressRefused(LightlyError):
    """This address is not public, and the operator has not opened it."""


@dataclass(frozen=True)
class EgressPolicy:
    """Which addresses may be connected to.

    Attributes:
        allowed: Opened by the operator: also when they are not public, also without encryption.
    """

    allowed: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the policy of a list of networks.

        Args:
            text: CIDRs with commas between; empty for none.

        Raises:
            BadInput: If one of them is no CIDR.

        >>> EgressPolicy.parse("10.0.0.0/8, ::1/128").allowed[0].prefixlen
        8
        """
        networks = []
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            try:
                networks.append(ipaddress.ip_network(part, strict=False))
            except ValueError as error:
                raise BadInput(
                    f"An opened network must look like 10.0.0.0/8, got {part[:60]!r}."
                ) from error
        return cls(tuple(networks))

    def is_opened(self, address: Address) -> bool:
        """Tell whether the operator has opened an address."""
        return any(
            one.version == network.version and one in network
            for one in _list_meanings(address)
            for network in self.allowed
        )

    def may_connect(self, address: Address, *, is_encrypted: bool) -> bool:
        """Tell whether an address may be connected to.

        >>> EgressPolicy().may_connect(ipaddress.ip_address("169.254.169.254"), is_encrypted=True)
        False
        """
        if self.is_opened(address):
            return True
        return is_encrypted and all(_is_public(one) for one in _list_meanings(address))

    def check(self, host: str, addresses: list[str], *, is_encrypted: bool) -> list[str]:
        """Return those of a host's addresses that may be connected to.

        Raises:
            EgressRefused: If there is none; says what the operator can do.
        """
        good = [
            text
            for text in addresses
            if self.may_connect(_parse_address(text), is_encrypted=is_encrypted)
        ]
        if good:
            return good
        if not is_encrypted and all(
            self.may_connect(_parse_address(text), is_encrypted=True) for text in addresses
        ):
            raise EgressRefused(
                f"{shorten_host(host)} is spoken to without encryption. Use https, or have the "
                "operator add its network to LIGHTLY_SERVER_EGRESS_ALLOW."
            )
        raise EgressRefused(
            f"{shorten_host(host)} leads to an address that is not public. The operator can open "
            "its network with LIGHTLY_SERVER_EGRESS_ALLOW."
        )

    def resolve(self, host: str, port: int, *, is_encrypted: bool) -> list[str]:
        """Return the addresses of a host that may be connected to.

        Raises:
            EgressRefused: If there is none.
            OSError: If the name cannot be resolved.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return self.check(host, list_addresses(found), is_encrypted=is_encrypted)


def list_addresses(found: Sequence[tuple[object, ...]]) -> list[str]:
    """Return the addresses of an answer of `getaddrinfo`, each once, in order."""
    texts = [str(place[0]) for *_, place in found if isinstance(place, tuple)]
    return list(dict.fromkeys(texts))


def shorten_host(host: str) -> str:
    """Return a host as it may be shown."""
    return ascii(host[:80])


def _parse_address(text: str) -> Address:
    # Link-local addresses may name an interface behind a per cent sign.
    return ipaddress.ip_address(text.partition("%")[0])


def _list_meanings(address: Address) -> list[Address]:
    """Return an address and those that it stands for: IPv4 in IPv6 comes in many forms."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    carried: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    carried += address.teredo or ()
    if any(address in network for network in _TRANSLATED):
        carried.append(ipaddress.IPv4Address(address.packed[-4:]))
    found = [one for one in carried if one is not None]
    # A mapped address is nothing but the IPv4 one.
    return found if address.ipv4_mapped is not None else [address, *found]


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not address.is_reserved
