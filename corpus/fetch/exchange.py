"""One request and its answer, read no further than it is wanted."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpcore2
import httpx2

from corpus.fetch.connections import RefusedAddress, UnknownHost
from corpus.fetch.limits import FAILED, OPTED_OUT, REFUSED, Failure, Limits
from corpus.fetch.optout import opted_out

ACCEPT = b"image/webp,image/png,image/jpeg,image/gif;q=0.9"
_IMAGE_TYPES = ("image/", "application/octet-stream", "binary/octet-stream")
_NO_PICTURES = ("image/svg",)  # a document with scripts
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


# What can go wrong on the way: reason, whether it may pass, whether a server answered. The first that fits.
_TROUBLES: dict[type[Exception], tuple[str, bool, bool]] = {
    httpcore2.ConnectTimeout: ("no connection in time", True, False),
    httpcore2.TimeoutException: ("silent for too long", True, True),
    TimeoutError: ("took too long", True, True),
    UnknownHost: ("unknown host", False, False),
    httpcore2.ConnectError: ("no connection", True, False),
    httpcore2.ProtocolError: ("broken answer", True, True),
    httpcore2.NetworkError: ("connection lost", True, True),
    OSError: ("connection lost", True, True),
}


@dataclass(frozen=True, slots=True)
class Redirect:
    """The server names another address.

    Attributes:
        target: As the server wrote it, perhaps relative.
    """

    target: str


class Exchange:
    """Makes requests: no cookies, no credentials, no compression, no proxy, one method (GET)."""

    def __init__(self, pool: httpcore2.AsyncConnectionPool, limits: Limits, user_agent: str) -> None:
        """Take the connections, the limits, and the name by which servers may know us."""
        self._pool = pool
        self._limits = limits
        self._user_agent = user_agent.encode("ascii")

    async def get(self, url: httpx2.URL) -> bytes | Redirect | Failure:
        """Return an answer's body, where it redirects to, or why there is none."""
        try:
            async with asyncio.timeout(self._limits.total):
                return await self._ask(url)
        except RefusedAddress as error:
            return Failure(REFUSED, f"leads to an address that is not public ({error})", answered=False)
        except tuple(_TROUBLES) as error:
            return _failure(error)

    async def _ask(self, url: httpx2.URL) -> bytes | Redirect | Failure:
        limits = self._limits
        times = {"connect": limits.connect, "read": limits.read, "write": limits.read, "pool": None}
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        headers = [
            (b"Host", url.netloc),
            (b"User-Agent", self._user_agent),
            (b"Accept", ACCEPT),
            (b"Accept-Encoding", b"identity"),
        ]
        async with self._pool.stream("GET", target, headers=headers, extensions={"timeout": times}) as answer:
            found = self._read_headers(answer)
            return await self._read_body(answer) if found is None else found

    def _read_headers(self, answer: httpcore2.Response) -> Redirect | Failure | None:
        """Return what the headers settle, None where the body is wanted."""
        out = opted_out(answer.headers)
        if out:
            return Failure(OPTED_OUT, out)
        headers = {name.lower(): value.decode("latin-1").strip() for name, value in answer.headers}
        if answer.status in _REDIRECTS and b"location" in headers:
            return Redirect(_location(headers[b"location"]))
        if answer.status != 200:
            passing = answer.status in _PASSING
            wait = retry_after(headers.get(b"retry-after", ""), headers.get(b"date", "")) if passing else 0.0
            return Failure(FAILED, f"HTTP {answer.status}", passing=passing, wait=wait)
        unwanted = self._unwanted(headers)
        return Failure(FAILED, unwanted) if unwanted else None

    def _unwanted(self, headers: dict[bytes, str]) -> str | None:
        """Return why a body need not be read."""
        kind = headers.get(b"content-type", "").casefold()
        if kind and (not kind.startswith(_IMAGE_TYPES) or kind.startswith(_NO_PICTURES)):
            return f"content type {_printable(kind.partition(';')[0])}"
        if headers.get(b"content-encoding", "").casefold() not in ("", "identity"):
            return "compressed, which was not asked for"
        length = headers.get(b"content-length", "")
        if length.isdigit() and int(length[:20]) > self._limits.bytes:
            return self._too_much()
        return None

    async def _read_body(self, answer: httpcore2.Response) -> bytes | Failure:
        data = bytearray()
        async for chunk in answer.aiter_stream():
            data += chunk
            if len(data) > self._limits.bytes:
                return Failure(FAILED, self._too_much())
        return bytes(data)

    def _too_much(self) -> str:
        return f"more than {self._limits.bytes:,} bytes"


def retry_after(text: str, date: str) -> float:
    """Return the seconds for which a server wants to be left alone, 0 where it does not say.

    Args:
        text: The header ``Retry-After``: seconds, or a date.
        date: The header ``Date``: the server's own clock, from which a date is counted.
    """
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(date)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _failure(error: Exception) -> Failure:
    if isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return Failure(FAILED, "its certificate is not valid")
    reason, passing, answered = next(row for kind, row in _TROUBLES.items() if isinstance(error, kind))
    return Failure(FAILED, reason, passing, answered)


def _location(text: str) -> str:
    """Return a redirect's target: its bytes are UTF-8 more often than the Latin-1 that the standard says."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _printable(text: str) -> str:
    return "".join(each for each in text[:60] if each.isprintable()) or "unknown"
