"""One image: asked for in turn, redirects followed with care, tried again where that may help."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass

import httpx2

from corpus.fetch.addresses import parse_url
from corpus.fetch.exchange import Exchange, Redirect
from corpus.fetch.limits import FAILED, Failure, Limits, Picture
from corpus.fetch.picture import check_picture
from corpus.fetch.politeness import Turns


@dataclass(frozen=True, slots=True)
class Downloader:
    """Gets images, any number at a time.

    Attributes:
        exchange: Makes the requests.
        turns: Says when.
        limits: How long, how much, how often.
        flagged: Digests of images that nobody may keep.
        decoders: Threads that decode images; their number bounds how many are decoded at a time.
    """

    exchange: Exchange
    turns: Turns
    limits: Limits
    flagged: Collection[str]
    decoders: Executor

    async def get(self, address: str) -> Picture | Failure:
        """Return an image, or why it cannot be had."""
        wait = self.limits.wait
        for attempt in range(1, self.limits.attempts + 1):
            found = await self._try(address)
            if isinstance(found, Picture) or not found.passing or attempt == self.limits.attempts:
                return found
            if found.wait > self.limits.longest_wait:
                return Failure(FAILED, f"{found.reason}, asks to wait longer than we do", passing=True)
            await asyncio.sleep(max(wait, found.wait))
            wait *= 2
        return Failure(FAILED, "not tried")

    async def _try(self, address: str) -> Picture | Failure:
        url = parse_url(address)
        for _ in range(self.limits.redirects + 1):
            if isinstance(url, Failure):
                return url
            async with self.turns.turn(url.host):
                found = await self.exchange.get(url)
                if isinstance(found, bytes):  # within the turn, so that turns bound the bytes in memory
                    return await self._check(found)
            if isinstance(found, Failure):
                self._spare(url, found)
                return found
            url = _next(url, found)
        return Failure(FAILED, f"more than {self.limits.redirects} redirects")

    async def _check(self, data: bytes) -> Picture | Failure:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.decoders, check_picture, data, self.limits, self.flagged)

    def _spare(self, url: httpx2.URL, failure: Failure) -> None:
        """Leave the host alone for as long as it asks, within the limit; not this image alone."""
        if failure.wait:
            self.turns.leave_alone(url.host, min(failure.wait, self.limits.longest_wait))


def _next(url: httpx2.URL, redirect: Redirect) -> httpx2.URL | Failure:
    """Return where a redirect leads, checked as any other address."""
    found = parse_url(redirect.target, base=url)
    return found if isinstance(found, Failure) else found.copy_with(fragment=None)
