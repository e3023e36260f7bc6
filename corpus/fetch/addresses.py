"""Where the fetcher may connect: public addresses over HTTP, and nothing inside anybody's network.

The URLs come from strangers. One that leads to this machine, its network or a cloud's metadata service would
make the fetcher their tool (server-side request forgery). So every address that a name stands for is checked,
and the connection is made to the address that was checked, not to the name again.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx2

from corpus.fetch.limits import REFUSED, Failure

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SCHEMES = {"http": 80, "https": 443}
LONGEST = 4096
FIRST_FREE_PORT = 1024
"""Below it only 80 and 443 are asked: the others belong to mail, databases, shells."""
LAST_PORT = 65535

# IANA's special-purpose registries (RFC 6890 and its updates). Python's own `is_private` and `is_global` have
# changed between patch versions; here the list is the same everywhere. Written out with its reasons.
_SPECIAL = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a carrier",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "for documentation",
    "192.31.196.0/24": "reserved",
    "192.52.193.0/24": "reserved",
    "192.88.99.0/24": "a 6to4 relay",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "reserved",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
    "::/128": "unspecified",
    "::1/128": "loopback",
    "::/96": "an IPv4-compatible address",
    "::ffff:0:0/96": "an IPv4-mapped address",
    "::ffff:0:0:0/96": "an IPv4-translated address",
    "64:ff9b::/96": "a NAT64 address",
    "64:ff9b:1::/48": "a NAT64 address",
    "100::/64": "discarded",
    "2001::/32": "a Teredo address",
    "2001::/23": "reserved",
    "2001:db8::/32": "for documentation",
    "2002::/16": "a 6to4 address",
    "3fff::/20": "for documentation",
    "5f00::/16": "reserved",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
SPECIAL: tuple[tuple[Network, str], ...] = tuple((ip_network(net), why) for net, why in _SPECIAL.items())
_UNICAST = ip_network("2000::/3")


def why_not(address: Address, allowed: Iterable[Network] = ()) -> str | None:
    """Return why an address must not be connected to, None where it may.

    Args:
        address: The address, an IPv6 one with or without a zone.
        allowed: Networks that may be connected to all the same; for tests.
    """
    if isinstance(address, IPv6Address) and address.scope_id:
        return "link-local"
    if any(address in network for network in allowed if network.version == address.version):
        return None
    for network, kind in SPECIAL:
        if network.version == address.version and address in network:
            return kind
    if address.version == 6 and address not in _UNICAST:
        return "reserved"
    return None


def parse_url(text: str, base: httpx2.URL | None = None) -> httpx2.URL | Failure:
    """Return a URL that may be asked for, or why it may not be.

    Args:
        text: The URL; where a base is given, also a relative one.
        base: The URL that redirected to it.
    """
    if len(text) > LONGEST:
        return Failure(REFUSED, f"address of {len(text)} characters, more than {LONGEST}")
    try:
        url = httpx2.URL(text) if base is None else base.join(text)
        objection = _objection(url)
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        return Failure(REFUSED, f"not a web address ({type(error).__name__})")
    return Failure(REFUSED, objection) if objection else url


def _objection(url: httpx2.URL) -> str | None:
    if url.scheme not in SCHEMES:
        return f"scheme {url.scheme[:20] or 'none'}, not http or https"
    if url.userinfo:
        return "address with a user name or password"
    if not url.raw_host:
        return "address without a host"
    usual = url.port is None or url.port in SCHEMES.values()
    return None if usual or FIRST_FREE_PORT <= (url.port or 0) <= LAST_PORT else f"port {url.port}"


def parse_address(text: str) -> Address | None:
    """Return an address in numbers, None where the text is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None
