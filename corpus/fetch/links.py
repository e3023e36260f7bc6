"""From a stranger's text to an address that may be asked for."""

from __future__ import annotations

import ipaddress

from yarl import URL

from corpus.fetch.addresses import AddressRules
from corpus.fetch.outcomes import Refusal, refused

SCHEMES = ("http", "https")
LONGEST = 4096
"""Longest address, in characters."""

_NO_ADDRESS = refused("no web address")


def parse_link(text: str, rules: AddressRules, base: URL | None = None) -> URL | Refusal:
    """Return an address that may be asked for, or why not.

    Names are not resolved here: what they resolve to is judged when a connection is opened. A numeric address
    is judged at once, for no resolver ever sees it.

    Args:
        text: The address, or the target of a redirect.
        rules: What may be connected to.
        base: Where the redirect came from; None: the text must be complete.
    """
    text = text.strip(" ")
    if len(text) > LONGEST or any(ord(character) < 0x21 or character == "\x7f" for character in text):
        return _NO_ADDRESS
    try:
        url = URL(text) if base is None else base.join(URL(text))
        reason = _refusal(url, rules)
        str(url).encode()
    except ValueError:
        return _NO_ADDRESS
    return refused(reason) if reason else url.with_fragment(None)


def _refusal(url: URL, rules: AddressRules) -> str | None:
    """Return why an address is refused; raises ValueError where it has no host or port that could exist."""
    if url.scheme and url.scheme not in SCHEMES:
        return "neither http nor https"
    host, port = url.host, url.port
    if not (url.scheme and host and port and url.raw_host):
        raise ValueError("incomplete")
    if url.user is not None or url.password is not None:
        return "address with a user name"
    return rules.refusal(host, port) if _numeric(host) else None


def _numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
