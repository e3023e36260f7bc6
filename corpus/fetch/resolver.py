"""The two gates before a connection: every resolved address, and every socket."""

from __future__ import annotations

import socket
from typing import Any

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from corpus.fetch.addresses import AddressRules


class AddressRefused(OSError):  # noqa: N818 (a situation; an OSError, which aiohttp hands through)
    """An address that may not be connected to."""


class CheckedResolver(AbstractResolver):
    """A resolver that refuses a name as a whole when one of its addresses may not be connected to."""

    def __init__(self, rules: AddressRules, inner: AbstractResolver | None = None) -> None:
        """Take the rules and who really resolves; None: the system, in threads."""
        self._rules = rules
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return a name's addresses.

        Raises:
            AddressRefused: One of them may not be connected to.
            OSError: The name has none.
        """
        found = await self._inner.resolve(host, port, family)
        for each in found:
            if reason := self._rules.refusal(each["host"], port):
                raise AddressRefused(reason)
        return found

    async def close(self) -> None:
        """Release the inner resolver."""
        await self._inner.close()


class CheckedSockets:
    """Makes sockets only for addresses that may be connected to; aiohttp calls it for each connection."""

    def __init__(self, rules: AddressRules) -> None:
        """Take the rules."""
        self._rules = rules

    def __call__(self, info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for an address as `socket.getaddrinfo` gives it.

        Raises:
            AddressRefused: It may not be connected to.
        """
        family, kind, protocol, _, address = info
        if reason := self._rules.refusal(str(address[0]), int(address[1])):
            raise AddressRefused(reason)
        return socket.socket(family, kind, protocol)
