"""One address after the other to its end: redirects, retries, and what a server may send.

Redirects are followed here and not by aiohttp, so that each hop is judged as the first address was, waits for
its own host's turn, and may opt out. No cookies are kept, no proxy is taken from the environment, and bodies
are asked for as they are (an encoded one could unpack to anything).
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from corpus.fetch.links import parse_link
from corpus.fetch.opt_out import opt_out
from corpus.fetch.outcomes import (
    BROKEN_OFF,
    TIMED_OUT,
    UNREACHABLE,
    UNRESOLVED,
    Refusal,
    Status,
    failed,
    refused,
)
from corpus.fetch.pictures import type_refusal
from corpus.fetch.policy import Policy
from corpus.fetch.resolver import AddressRefused, CheckedResolver, CheckedSockets
from corpus.fetch.turns import Clock, LoopClock, Turns
from corpus.fetch.waiting import asked_wait, next_wait

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CHUNK = 64 * 1024
ACCEPT = "image/jpeg,image/png,image/webp,image/gif;q=0.8,*/*;q=0.1"


@dataclass(frozen=True, slots=True)
class Redirect:
    """The server says that the image is elsewhere."""

    target: str


@dataclass(frozen=True, slots=True)
class Again:
    """A failure that may pass.

    Attributes:
        refusal: What it is when it does not.
        host: Which host it came from.
        wait: Seconds that the server asks to wait, None where it does not.
    """

    refusal: Refusal
    host: str
    wait: float | None = None


Found: TypeAlias = bytes | Refusal | Redirect | Again


class Client:
    """An HTTP client that keeps to a policy; use it as an asynchronous context."""

    def __init__(
        self, policy: Policy, resolver: AbstractResolver | None = None, clock: Clock | None = None
    ) -> None:
        """Take the policy; tests bring their own resolver and clock."""
        self._policy = policy
        self._inner = resolver
        self._clock = clock or LoopClock()

    async def __aenter__(self) -> Self:
        """Open the session."""
        policy, manners = self._policy, self._policy.manners
        self._turns = Turns(manners, self._clock)
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(policy.addresses, self._inner),
            socket_factory=CheckedSockets(policy.addresses),
            limit=0,  # `Turns` bounds the requests; a wait for a connection must not count as the server's
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"User-Agent": policy.user_agent, "Accept": ACCEPT, "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(
                total=manners.total_timeout,
                connect=manners.connect_timeout,
                sock_connect=manners.connect_timeout,
            ),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session and its connections."""
        await self._session.close()

    async def get(self, text: str) -> bytes | Refusal:
        """Return what an address holds, or why it cannot be had; asks again where that may help."""
        manners, chance = self._policy.manners, self._chance(text)
        for attempt in range(manners.retries):
            found = await self._follow(text)
            if not isinstance(found, Again):
                return found
            wait = next_wait(manners, attempt, found.wait, chance)
            if wait is None:
                return failed(f"{found.refusal.reason}, asked to wait too long")
            if found.wait is not None:
                self._turns.pause(found.host, wait)
            await self._clock.sleep(wait)
        last = await self._follow(text)
        return last.refusal if isinstance(last, Again) else last

    async def _follow(self, text: str) -> bytes | Refusal | Again:
        """Go from redirect to redirect."""
        url = parse_link(text, self._policy.addresses)
        seen: set[URL] = set()
        for _ in range(self._policy.limits.redirects + 1):
            if isinstance(url, Refusal):
                return url
            if url in seen:
                return refused("redirects in a circle")
            seen.add(url)
            async with self._turns.turn(url.host or ""):
                found = await self._ask(url)
            if not isinstance(found, Redirect):
                return found
            url = parse_link(found.target, self._policy.addresses, url)
        return refused("too many redirects")

    async def _ask(self, url: URL) -> Found:
        """Make one request."""
        host = url.host or ""
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                return await self._answer(response, host)
        except TimeoutError:
            return Again(TIMED_OUT, host)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _reason(error)

    async def _answer(self, response: aiohttp.ClientResponse, host: str) -> Found:
        """Judge an answer by its headers, and read its body if nothing speaks against it."""
        headers, status = response.headers, response.status
        if signal := opt_out(headers):
            return Refusal(Status.OPTED_OUT, f"opted out by {signal}")
        if status in REDIRECTS and "Location" in headers:
            return Redirect(headers["Location"])
        if status == 429 or status >= 500:
            return Again(failed(f"HTTP {status}"), host, asked_wait(headers.get("Retry-After")))
        if status != 200:
            return failed(f"HTTP {status}")
        if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            return refused("encoded body, which was not asked for")
        return type_refusal(headers.get("Content-Type")) or await self._body(response)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes | Refusal:
        """Read a body up to the limit, whatever its Content-Length says."""
        most = self._policy.limits.image_bytes
        if (response.content_length or 0) > most:
            return refused("too many bytes")
        body = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            body += chunk
            if len(body) > most:
                response.close()
                return refused("too many bytes")
        return bytes(body)

    def _chance(self, text: str) -> random.Random:
        """Return an address's own random numbers, so that the order of the work changes nothing."""
        digest = hashlib.blake2b(f"{self._policy.seed}\0{text}".encode(errors="replace"), digest_size=8)
        return random.Random(int.from_bytes(digest.digest(), "little"))


def _reason(error: Exception) -> Refusal:
    """Return the reason for what aiohttp raises."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, AddressRefused):
        return refused(str(cause))
    rows: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Refusal], ...] = (
        (aiohttp.ClientConnectorDNSError, UNRESOLVED),
        (aiohttp.ClientSSLError, failed("certificate or encryption not accepted")),
        (aiohttp.ClientConnectorError, UNREACHABLE),
        (aiohttp.InvalidURL, refused("no web address")),
        (aiohttp.ClientResponseError, failed("answer is not HTTP")),
        ((aiohttp.ClientError, OSError), BROKEN_OFF),
    )
    return next((refusal for kind, refusal in rows if isinstance(error, kind)), refused("no web address"))
