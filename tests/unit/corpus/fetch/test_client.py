"""What the client makes of servers: good ones, dead ones, rude ones, and those that mean harm."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from corpus.fetch import AddressRules, Limits, Policy, Refusal, Status, resolver
from corpus.fetch.client import Client
from tests.unit.corpus.fetch.site import QUICK, Names, Site, Watch, picture, policy

GOOD = picture()


def get(
    url: str,
    rules: Policy | None = None,
    names: Callable[[], AbstractResolver] | None = None,
    clock: Watch | None = None,
) -> bytes | Refusal:
    """What becomes of one address."""

    async def ask() -> bytes | Refusal:
        client = Client(rules or policy(), names() if names else None, clock or Watch())
        async with client:
            return await client.get(url)

    return asyncio.run(ask())


def reason(found: bytes | Refusal) -> str:
    assert isinstance(found, Refusal)
    return found.reason


# What is kept and what is not.


def test_a_good_image_comes_as_it_was_sent(site: Site) -> None:
    assert get(site.say("good.jpg", GOOD)) == GOOD
    assert site.headers["User-Agent"] == "imitation-threshold/9 (+test@fit.example)"
    assert site.headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in site.headers


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (404, "image/jpeg", "HTTP 404"),
        (403, "image/jpeg", "HTTP 403"),
        (204, "image/jpeg", "HTTP 204"),
        (200, "text/html; charset=utf-8", "content type text/html"),
        (200, "video/mp4", "content type video/mp4"),
        (200, "<script>", "content type ?"),
    ],
)
def test_other_answers_are_refused_with_a_reason(site: Site, status: int, kind: str, told: str) -> None:
    assert reason(get(site.say("other", b"", status, kind))) == told
    assert site.asked == ["/other"]  # and are not asked for again


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", None])
def test_a_type_that_may_be_an_image_is_read(site: Site, kind: str | None) -> None:
    assert get(site.say("any", GOOD, kind=kind)) == GOOD


@pytest.mark.parametrize("status", [200, 403, 404, 302])
@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"X_Robots_Tag": "noai"}, "opted out by X-Robots-Tag: noai"),
        ({"X_Robots_Tag": "noindex, NoImageAI"}, "opted out by X-Robots-Tag: noimageai"),
        ({"tdm_reservation": "1"}, "opted out by tdm-reservation: 1"),
    ],
)
def test_an_opt_out_is_respected_whatever_the_status(
    site: Site, status: int, headers: dict[str, str], told: str
) -> None:
    site.say("target", GOOD)
    found = get(site.say("mine", GOOD, status, Location="/target", **headers))
    assert found == Refusal(Status.OPTED_OUT, told)
    assert site.asked == ["/mine"]


def test_an_encoded_body_is_refused(site: Site) -> None:
    url = site.say("packed", gzip.compress(GOOD), Content_Encoding="gzip")
    assert reason(get(url)) == "encoded body, which was not asked for"


def test_a_body_at_the_limit_is_read_and_one_above_is_not(site: Site) -> None:
    rules = policy(limits=Limits(image_bytes=1000))
    assert get(site.say("at", b"x" * 1000), rules) == b"x" * 1000
    assert reason(get(site.say("above", b"x" * 1001), rules)) == "too many bytes"


def test_the_limit_holds_without_a_length(site: Site) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)
            sent += 10_000

    assert (
        reason(get(site.do("endless", endless), policy(limits=Limits(image_bytes=50_000))))
        == "too many bytes"
    )
    assert sent < 5_000_000  # the connection is dropped; what the sockets' buffers take is lost


def raw(answer: bytes) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that writes bytes to the connection and closes it."""

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(answer)  # type: ignore[attr-defined]
        request.transport.close()
        return web.Response()

    return handler


def test_a_length_that_promises_more_breaks_off(site: Site) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100000\r\n\r\n"
    assert reason(get(site.do("more", raw(head + GOOD)))) == "connection broke off"


def test_a_length_that_promises_less_never_gives_the_whole(site: Site) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 10\r\n\r\n"
    found = get(site.do("less", raw(head + GOOD)))
    # What follows is no answer; where it comes too late to be noticed, Pillow refuses the ten bytes.
    assert found == GOOD[:10] or reason(found) == "answer is not HTTP"


@pytest.mark.parametrize("length", [b"-5", b"1, 2", b"many", b"9" * 5000])
def test_a_length_that_is_none_is_a_broken_answer(site: Site, length: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: " + length + b"\r\n\r\n"
    assert reason(get(site.do("odd", raw(head + GOOD)))) in {"answer is not HTTP", "too many bytes"}


@pytest.mark.parametrize(
    "answer", [b"", b"\0" * 100, b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n", GOOD]
)
def test_rubbish_is_a_reason(site: Site, answer: bytes) -> None:
    assert reason(get(site.do("rubbish", raw(answer)))) in {"answer is not HTTP", "connection broke off"}


def test_endless_headers_are_a_reason(site: Site) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n"
    assert reason(get(site.do("headers", raw(answer)))) == "answer is not HTTP"


# Time.


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def drip(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Content-Length": "1000"})
    await response.prepare(request)
    for _ in range(1000):
        await response.write(b"x")
        await asyncio.sleep(0.05)
    return response


@pytest.mark.parametrize("handler", [hang, drip])
def test_whoever_is_too_slow_is_asked_again_and_then_given_up(
    site: Site, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> None:
    rules = policy(manners=replace(QUICK, total_timeout=0.2, retries=1))
    assert reason(get(site.do("slow", handler), rules)) == "timed out"
    assert site.asked == ["/slow", "/slow"]


def failing(
    times: int, status: int, **headers: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that fails some times and is good then."""
    left = times

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal left
        left -= 1
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if left >= 0:
            return web.Response(status=status, headers=given)
        return web.Response(body=GOOD, content_type="image/jpeg")

    return handler


def test_a_server_error_is_asked_again_with_doubling_waits(site: Site) -> None:
    clock = Watch()
    assert get(site.do("flaky", failing(2, 503)), clock=clock) == GOOD
    first, second = clock.slept
    assert 0.5 <= first <= 1.0 <= second <= 2.0  # a second, then two, each less up to a half


def test_waits_are_the_same_in_every_run_and_differ_between_addresses(site: Site) -> None:
    waits = []
    for path in ("one", "one", "two"):
        clock = Watch()
        get(site.do(path, failing(1, 500)), clock=clock)
        waits.append(clock.slept)
    assert waits[0] == waits[1] != waits[2]


def test_a_server_error_that_lasts_is_given_up(site: Site) -> None:
    assert reason(get(site.say("down", b"", 502))) == "HTTP 502"
    assert site.asked == ["/down"] * 3


def test_retry_after_is_waited_for(site: Site) -> None:
    clock = Watch()
    assert get(site.do("busy", failing(1, 429, Retry_After="7")), clock=clock) == GOOD
    assert clock.slept == [7.0]


def test_who_asks_for_too_long_a_wait_is_left_alone(site: Site) -> None:
    clock = Watch()
    found = get(site.say("later", b"", 429, Retry_After="3600"), clock=clock)
    assert reason(found) == "HTTP 429, asked to wait too long"
    assert site.asked == ["/later"]
    assert clock.slept == []


# Redirects and addresses.


def test_a_redirect_is_followed(site: Site) -> None:
    site.say("there", GOOD)
    site.say("middle", b"", 307, Location="there")
    assert get(site.say("here", b"", 301, Location=site.url("middle"))) == GOOD
    assert site.asked == ["/here", "/middle", "/there"]


def test_redirects_in_a_circle_are_left(site: Site) -> None:
    site.say("b", b"", 302, Location="/a")
    assert reason(get(site.say("a", b"", 302, Location="/b"))) == "redirects in a circle"
    assert site.asked == ["/a", "/b"]


def test_redirects_are_limited(site: Site) -> None:
    for i in range(9):
        site.say(f"hop{i}", b"", 302, Location=f"/hop{i + 1}")
    site.say("hop2", GOOD)
    rules = policy(limits=Limits(redirects=2))
    assert get(site.url("hop0"), rules) == GOOD
    site.say("hop2", b"", 302, Location="/hop3")
    site.asked.clear()
    assert reason(get(site.url("hop0"), rules)) == "too many redirects"
    assert site.asked == ["/hop0", "/hop1", "/hop2"]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("http://127.0.0.2:{port}/x", "loopback address"),
        ("http://10.0.0.1/x", "private address"),
        ("http://169.254.169.254/latest/meta-data/", "link-local address"),
        ("http://[::1]:{port}/x", "loopback address"),
        ("http://[::ffff:10.0.0.1]/x", "private address"),
        ("//0.0.0.0:{port}/x", "unspecified address"),
        ("http://100.64.0.1/", "carrier-grade NAT address"),
        ("http://inside.test/x", "private address"),
        ("file:///etc/passwd", "neither http nor https"),
        ("ftp://127.0.0.1/x", "neither http nor https"),
        ("gopher://127.0.0.1:25/x", "neither http nor https"),
        ("http://me:secret@127.0.0.1:{port}/x", "address with a user name"),
        ("http://8.8.8.8:25/", "port not of the web"),
        ("http://a b/", "no web address"),
        ("http://2130706433/", "no web address"),
    ],
)
def test_a_redirect_to_where_nobody_may_go_is_refused(site: Site, target: str, told: str) -> None:
    url = site.say("away", b"", 302, Location=target.format(port=site.port))
    names = Names({"inside.test": [["192.168.1.5"]]})
    assert get(url, names=lambda: names) == Refusal(Status.REFUSED, told)
    assert site.asked == ["/away"]


def test_a_hop_may_opt_out(site: Site) -> None:
    site.say("image", GOOD, X_Robots_Tag="noai")
    assert reason(get(site.say("start", b"", 301, Location="/image"))) == "opted out by X-Robots-Tag: noai"


def test_loopback_is_refused_unless_allowed(site: Site) -> None:
    rules = policy(addresses=AddressRules())
    site.say("good.jpg", GOOD)
    assert reason(get(site.url("good.jpg"), rules)) == "loopback address"
    assert reason(get(site.url("good.jpg", "localhost"), rules)) == "loopback address"
    assert site.asked == []


def test_one_bad_address_of_a_name_refuses_the_name(site: Site) -> None:
    site.say("good.jpg", GOOD)
    names = Names({"both.test": [["127.0.0.1", "10.0.0.1"]]})
    assert reason(get(site.url("good.jpg", "both.test"), names=lambda: names)) == "private address"
    assert site.asked == []


def test_an_unknown_name(site: Site) -> None:
    assert reason(get("http://nowhere.test/x.jpg", names=lambda: Names({}))) == "host name not found"


def test_a_closed_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert reason(get(f"http://127.0.0.1:{port}/x.jpg")) == "cannot connect"


def test_a_name_that_resolves_otherwise_the_second_time_is_refused(site: Site) -> None:
    # A new port makes aiohttp ask the name server anew: what it says then is judged as well.
    names = Names({"rebind.test": [["127.0.0.1"], ["127.0.0.2"]]})
    site.say("first", b"", 302, Location="http://rebind.test:8080/image")
    assert reason(get(site.url("first", "rebind.test"), names=lambda: names)) == "loopback address"
    assert names.asked == ["rebind.test", "rebind.test"]
    assert site.asked == ["/first"]


def test_the_socket_is_judged_even_where_the_resolver_was_not(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if a name changed between resolver and connection, or a numeric address got past the parser.
    async def unchecked(self: resolver.CheckedResolver, host: str, port: int, family: object = 0) -> object:
        return await Names("127.0.0.2").resolve(host, port)

    monkeypatch.setattr(resolver.CheckedResolver, "resolve", unchecked)
    site.say("good.jpg", GOOD)
    assert reason(get(site.url("good.jpg", "fine.test"))) == "loopback address"
    assert site.asked == []


def test_no_proxy_is_taken_from_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert get(site.say("good.jpg", GOOD)) == GOOD


def test_cookies_are_not_sent_back(site: Site) -> None:
    site.say("there", GOOD)
    assert get(site.say("here", b"", 302, Location="/there", Set_Cookie="id=1")) == GOOD
    assert "Cookie" not in site.headers


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of an encryption that nobody has vouched for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fit.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(private + made.sign(key, SHA256()).public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    asked = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())

    async def ask() -> bytes | Refusal:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=self_signed(tmp_path))
        port = server.sockets[0].getsockname()[1]
        async with server, Client(policy(), clock=Watch()) as client:
            return await client.get(f"https://127.0.0.1:{port}/x.jpg")

    assert reason(asyncio.run(ask())) == "certificate or encryption not accepted"
    assert asked == []
