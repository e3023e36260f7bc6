"""Which network addresses may be reached: public ones, and those that were allowed in so many words.

An image's address is a stranger's text. Whatever it says, no connection may be opened to this machine, to the
network behind it, or to a cloud's metadata service. `AddressRules.refusal` judges one numeric address; it is
asked for every resolved address and again for every socket, right before it connects, so that a name which
resolves otherwise the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import csv
import ipaddress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from concepts.errors import SettingsError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = frozenset({80, 443, 8080, 8443})
"""Ports where images are served; behind others there are mail servers and databases."""

_EMBEDDING = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64, RFC 6052: the last 32 bits are an IPv4 address


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What may be connected to.

    Attributes:
        allowed: Networks that are allowed although they are not public, at any port: for tests on loopback,
            or for a mirror of one's own.
    """

    allowed: tuple[Network, ...] = ()

    def refusal(self, address: str, port: int) -> str | None:
        """Return why an address is refused, None where it may be connected to.

        Args:
            address: A numeric IPv4 or IPv6 address, as a resolver returns it (a zone may follow a ``%``).
            port: The port of the connection.
        """
        try:
            parsed = _plain(ipaddress.ip_address(address))
        except ValueError:
            return "no numeric address"
        if any(parsed.version == network.version and parsed in network for network in self.allowed):
            return None
        if kind := special(parsed):
            return f"{kind} address"
        return None if port in PORTS else "port not of the web"


def special(address: Address) -> str | None:
    """Return what an address is that is not public (``loopback``), None for a public one."""
    for network, kind in special_networks():
        if address.version == network.version and address in network:
            return kind
    return None if address.is_global else "reserved"


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a list such as ``127.0.0.1/32, 10.1.0.0/16``.

    Raises:
        SettingsError: One of them is none.
    """
    networks: list[Network] = []
    for piece in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(piece))
        except ValueError as error:
            raise SettingsError(f"{piece}: no network ({error}); write one as 127.0.0.1/32") from None
    return tuple(networks)


@cache
def special_networks() -> tuple[tuple[Network, str], ...]:
    """Return (network, kind) of the networks that are not public, as the IANA registries list them."""
    text = files("corpus.fetch").joinpath("special_networks.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((ipaddress.ip_network(row["network"]), row["kind"]) for row in rows)


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _EMBEDDING:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
