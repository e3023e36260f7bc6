"""Connections that are made to checked addresses alone.

It stands where the HTTP library opens its sockets, below redirects, pools and TLS, so no request gets around
it. The library still sends the host's name (``Host``, SNI) and checks the certificate for it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore2
from httpcore2 import AnyIOBackend

from corpus.fetch.addresses import Address, Network, parse_address, why_not

Resolve = Callable[[str, int], Awaitable[list[str]]]


class RefusedAddress(Exception):  # noqa: N818 (a situation, not a fault)
    """A name stands for an address that must not be connected to."""


class UnknownHost(Exception):  # noqa: N818 (a situation, not a fault)
    """A name stands for no address."""


async def system_resolver(host: str, port: int) -> list[str]:
    """Return all addresses of a name, as the system's resolver gives them.

    Raises:
        OSError: There is none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections for `httpcore2`: resolves, checks, and connects to what it has checked."""

    def __init__(self, allowed: Iterable[Network] = (), resolve: Resolve = system_resolver) -> None:
        """Prepare.

        Args:
            allowed: Networks that may be connected to although they are not public; for tests.
            resolve: (name, port) -> addresses.
        """
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._sockets = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to one of a host's addresses; one address that must not be is enough to refuse them all.

        Raises:
            RefusedAddress: An address is not public.
            UnknownHost: There is no such host.
            httpcore2.ConnectError, httpcore2.ConnectTimeout: None of the addresses answers.
        """
        failure: Exception = UnknownHost(host)
        for address in await self._addresses(host, port, timeout):
            try:
                return await self._sockets.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        """Refuse: no URL stands for a socket of this machine."""
        raise RefusedAddress("a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int, patience: float | None) -> list[Address]:
        literal = parse_address(host.strip("[]"))
        found = [literal] if literal else await self._resolved(host, port, patience)
        for address in found:
            why = why_not(address, self._allowed)
            if why:
                raise RefusedAddress(why)
        return found

    async def _resolved(self, host: str, port: int, patience: float | None) -> list[Address]:
        try:
            async with asyncio.timeout(patience):
                texts = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(host) from error
        except (OSError, UnicodeError) as error:
            if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
                raise httpcore2.ConnectError(host) from error  # it is the resolver that does not answer
            raise UnknownHost(host) from error
        found = [parse_address(text) for text in texts]
        if not found or None in found:
            raise UnknownHost(host)
        return [address for address in found if address is not None]
