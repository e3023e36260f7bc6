"""Turns at hosts: few requests at a time, a pause between them, a longer one for a host that asks for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Host:
    """One host: its free places, and when it may be asked next (seconds of the clock)."""

    places: asyncio.Semaphore
    next_turn: float = 0.0


class Turns:
    """Hands out turns at hosts, in the order in which they are asked for."""

    def __init__(
        self, connections: int, per_host: int, delay: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin.

        Args:
            connections: Most turns at a time.
            per_host: Most turns at one host at a time.
            delay: Least seconds between the beginnings of two turns at one host.
            clock: Seconds that pass.
        """
        self._all = asyncio.Semaphore(connections)
        self._per_host = per_host
        self._delay = delay
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a turn at a host and hold it; who waits for a slow host keeps nobody else waiting."""
        state = self._host(host)
        async with state.places:
            while (pause := state.next_turn - self._clock()) > 0:
                await asyncio.sleep(pause)
            state.next_turn = self._clock() + self._delay
            async with self._all:
                yield

    def leave_alone(self, host: str, seconds: float) -> None:
        """Give nobody a turn at a host for some seconds."""
        state = self._host(host)
        state.next_turn = max(state.next_turn, self._clock() + seconds)

    def _host(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host(asyncio.Semaphore(self._per_host)))
