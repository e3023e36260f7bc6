from __future__ import annotations

import pytest

from concepts.errors import SettingsError
from corpus.fetch.addresses import AddressRules, parse_networks, special_networks


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.0.3", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("64:ff9b::127.0.0.1", "loopback"),  # NAT64 of 127.0.0.1
        ("0.0.0.0", "unspecified"),  # noqa: S104 - refused, not bound to
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("10.1.2.3", "private"),
        ("172.31.255.255", "private"),
        ("192.168.0.1", "private"),
        ("::ffff:192.168.0.1", "private"),
        ("fd00::1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.127.255.255", "carrier-grade NAT"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("::7f00:1", "reserved"),  # IPv4-compatible, deprecated
        ("2002:7f00:1::", "reserved"),  # 6to4 of 127.0.0.1
        ("2001:0:7f00:1::", "reserved"),  # Teredo
        ("203.0.113.9", "documentation"),
    ],
)
def test_addresses_that_are_not_public(address: str, kind: str) -> None:
    assert AddressRules().refusal(address, 443) == f"{kind} address"


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "169.253.1.1",
    ],
)
def test_public_addresses(address: str) -> None:
    rules = AddressRules()
    assert [rules.refusal(address, port) for port in (80, 443, 8080)] == [None, None, None]
    assert rules.refusal(address, 25) == "port not of the web"


@pytest.mark.parametrize(
    "text", ["", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.01", "localhost", "1.2.3.4.5"]
)
def test_what_is_no_numeric_address(text: str) -> None:
    assert AddressRules().refusal(text, 80) == "no numeric address"


def test_what_was_allowed_is_allowed_at_any_port_and_nothing_beside_it() -> None:
    rules = AddressRules(parse_networks("127.0.0.1/32, fd00::/8"))
    assert rules.refusal("127.0.0.1", 54321) is None
    assert rules.refusal("::ffff:127.0.0.1", 54321) is None
    assert rules.refusal("fd12::1", 1) is None
    assert rules.refusal("127.0.0.2", 80) == "loopback address"


def test_networks_are_read_strictly() -> None:
    assert parse_networks(" ") == ()
    for text in ("127.0.0.1/8", "localhost", "10.0.0.0/33"):
        with pytest.raises(SettingsError, match="no network"):
            parse_networks(text)


def test_every_row_says_where_it_comes_from() -> None:
    assert len(special_networks()) > 25
    assert all(kind for _, kind in special_networks())
