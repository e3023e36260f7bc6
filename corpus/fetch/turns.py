"""Politeness: how many requests go out at a time, in all and to one host, and how close together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from corpus.fetch.policy import Manners


class Clock(Protocol):
    """Time in seconds, and waiting; tests have their own."""

    def now(self) -> float:
        """Return seconds since some moment."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class LoopClock:
    """The event loop's clock."""

    def now(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class _Host:
    places: asyncio.Semaphore
    earliest: float = float("-inf")


class Turns:
    """Hands out turns to make a request."""

    def __init__(self, manners: Manners, clock: Clock) -> None:
        """Take the manners and the clock; must be made inside the event loop."""
        self._manners = manners
        self._clock = clock
        self._all = asyncio.Semaphore(manners.at_once)
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait until a request to the host may start; the turn ends with the block.

        A place at the host is taken first, so that those who wait for a busy host keep nobody else waiting.
        """
        gate = self._host(host)
        async with gate.places:
            await self._start(gate)
            try:
                yield
            finally:
                self._all.release()

    def pause(self, host: str, seconds: float) -> None:
        """Start nothing at a host for some seconds: it has asked for it."""
        gate = self._host(host)
        gate.earliest = max(gate.earliest, self._clock.now() + seconds)

    async def _start(self, gate: _Host) -> None:
        while True:
            while (wait := gate.earliest - self._clock.now()) > 0:
                await self._clock.sleep(wait)
            await self._all.acquire()
            if gate.earliest <= self._clock.now():  # nobody else has started at this host meanwhile
                gate.earliest = self._clock.now() + self._manners.host_delay
                return
            self._all.release()

    def _host(self, host: str) -> _Host:
        if host not in self._hosts:
            self._hosts[host] = _Host(asyncio.Semaphore(self._manners.at_once_per_host))
        return self._hosts[host]
