"""Whatever an image's address looks like, no connection is made to an address that is not public."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from types import SimpleNamespace
from typing import NoReturn
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yarl import URL

from corpus.fetch import AddressRules, Limits, Manners, Policy, Refusal, resolver
from corpus.fetch.client import Client
from corpus.fetch.links import parse_link
from tests.unit.corpus.fetch.site import Names, Watch

QUICK = Manners(connect_timeout=1, total_timeout=1, retries=0, host_delay=0)
PRIVATE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "100.64.0.1"]  # noqa: S104
WIDE = str.maketrans("0123456789.", "０１２３４５６７８９。")


def spellings(address: str) -> list[str]:
    """Ways to write an IPv4 address that some resolver or parser has taken for it."""
    a, b, c, d = (int(part) for part in address.split("."))
    number = int(ipaddress.ip_address(address))
    mapped = f"[::ffff:{address}]"
    return [
        address,
        f"{address}.",
        f"{a}.{b}.{c * 256 + d}",
        f"{a}.{number & 0xFFFFFF}",
        str(number),
        hex(number),
        f"0{number:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.{b}.{c}.{d:03}",
        address.translate(WIDE),
        "".join(f"%{ord(character):02x}" for character in address),
        mapped,
        mapped.replace(address, f"{a:02x}{b:02x}:{c:02x}{d:02x}"),
        f"[::{a:02x}{b:02x}:{c:02x}{d:02x}]",
        f"[64:ff9b::{address}]",
        f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::]",
        f"[::ffff:{address}%25eth0]",
        f"{address}.nip.io",
    ]


HOSTS = st.one_of(
    st.sampled_from([each for address in PRIVATE for each in spellings(address)]),
    st.sampled_from(
        ["localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[fe80::1%25eth0]", "[fd00::1]"]
    ),
    st.sampled_from(["img.example", "münchen.example", "xn--mnchen-3ya.example", "a" * 70 + ".example"]),
    st.text(max_size=12),
)
BEFORE = st.sampled_from(
    [
        "http://",
        "https://",
        "HTTP://",
        "hTTps:/",
        "http:///",
        "//",
        "http:\\\\",
        "http://a@",
        "http://a:b@",
        "http://img.example@",
        "http://img.example#@",
        "http://img.example\\@",
        "http://img.example?@",
        "ftp://",
        "file://",
        "\thttp://",
        " http://",
        "ht\ntp://",
        "http://img.example%00@",
        "javascript:",
        "",
    ]
)
AFTER = st.sampled_from(
    [
        "",
        "/",
        "/x.jpg",
        ":80/",
        ":443",
        ":8080/x",
        ":0/",
        ":99999/",
        ":22/",
        "/..//x",
        "#@img.example/",
        "?u=http://img.example",
        "\\@img.example/",
        "@img.example/",
        "%2f@img.example",
        ":80:80/",
        ":٨٠/",
        "\r\nX: y",
    ]
)
LINKS = st.one_of(st.builds("{}{}{}".format, BEFORE, HOSTS, AFTER), st.text(max_size=40))


def connections(text: str, redirect: bool) -> list[str]:
    """The addresses to which sockets are made for a link, or for a redirect to it."""
    made: list[str] = []

    def record(family: int, kind: int, protocol: int) -> NoReturn:
        raise OSError("no connection is made here")

    class Recorded(resolver.CheckedSockets):
        def __call__(self, info: tuple[object, ...]) -> socket.socket:
            try:
                return super().__call__(info)
            except resolver.AddressRefused:
                raise
            except OSError:
                made.append(str(info[4][0]))  # type: ignore[index]
                raise

    rules = AddressRules()
    policy = Policy("me@lab.example", limits=Limits(), manners=QUICK, addresses=rules)

    async def ask() -> bytes | Refusal:
        # Whatever is a name resolves to a private address.
        async with Client(policy, Names("10.9.8.7"), Watch()) as client:
            if redirect:
                url = parse_link(text, rules, URL("http://img.example/start"))
                return url if isinstance(url, Refusal) else await client.get(str(url))
            return await client.get(text)

    no_sockets = SimpleNamespace(socket=record)
    with (
        mock.patch.object(resolver, "socket", no_sockets),
        mock.patch("corpus.fetch.client.CheckedSockets", Recorded),
    ):
        found = asyncio.run(ask())
    assert isinstance(found, Refusal)
    return made


@given(LINKS, st.booleans())
@settings(max_examples=400, deadline=None)
@example("http://127.0.0.1/", False)
@example("http://8.8.8.8/", False)
@example("//[::ffff:10.0.0.1]/", True)
def test_no_connection_to_an_address_that_is_not_public(text: str, redirect: bool) -> None:
    for address in connections(text, redirect):
        assert ipaddress.ip_address(address.partition("%")[0]).is_global


def test_a_public_address_would_be_connected_to() -> None:
    # Else the test above could not fail.
    assert connections("http://8.8.8.8/x.jpg", redirect=False) == ["8.8.8.8"]


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_is_an_address_or_has_a_reason(text: str) -> None:
    found = parse_link(text, AddressRules())
    if not isinstance(found, Refusal):
        assert found.scheme in {"http", "https"}
        assert found.host
        assert found.user is None


@pytest.mark.parametrize(
    "text", ["", "http://", "http:///x", "https://:80/", "img.example/x.jpg", "x" * 5000, "http://a:b/"]
)
def test_what_is_no_address(text: str) -> None:
    assert isinstance(parse_link(text, AddressRules()), Refusal)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"])
def test_a_numeric_address_is_judged_before_anything_else(host: str) -> None:
    found = parse_link(f"http://{host}/x.jpg", AddressRules())
    assert isinstance(found, Refusal)
    assert found.reason.endswith(" address")
