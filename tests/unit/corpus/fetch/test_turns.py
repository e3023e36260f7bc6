"""Politeness, by the numbers that the server and the clock have noted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from aiohttp import web

from corpus.fetch import Manners
from corpus.fetch.client import Client
from corpus.fetch.turns import Turns
from tests.unit.corpus.fetch.site import QUICK, Names, Site, Watch, picture, policy


def start_times(hosts: Sequence[str], manners: Manners) -> list[tuple[str, float]]:
    """When requests that take a second each start, by a clock of ours; all want to start at once."""
    clock = Watch()
    started: list[tuple[str, float]] = []

    async def request(turns: Turns, host: str) -> None:
        async with turns.turn(host):
            started.append((host, clock.now()))
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        turns = Turns(manners, clock)
        await asyncio.gather(*(request(turns, host) for host in hosts))

    asyncio.run(all_of_them())
    return started


def test_starts_at_one_host_keep_their_distance() -> None:
    manners = Manners(host_delay=0.5, at_once=10, at_once_per_host=5)
    started = start_times(["a"] * 8 + ["b"], manners)
    times = sorted(when for host, when in started if host == "a")
    assert times == [0.5 * i for i in range(8)]


def test_another_host_does_not_wait_for_a_busy_one() -> None:
    started = start_times(["a"] * 8 + ["b"], Manners(host_delay=0.5, at_once=2, at_once_per_host=2))
    assert dict(started[:2]).keys() == {"a", "b"}


async def slowly(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(0.02)
    return web.Response(body=picture(), content_type="image/jpeg")


@pytest.mark.parametrize(("per_host", "in_all"), [(1, 16), (2, 16), (8, 3)])
def test_the_server_sees_no_more_at_a_time_than_allowed(site: Site, per_host: int, in_all: int) -> None:
    manners = replace(QUICK, at_once_per_host=per_host, at_once=in_all, host_delay=0)
    hosts = [f"host{i % 3}.test" for i in range(30)]
    for i in range(30):
        site.do(f"{i}.jpg", slowly)

    async def all_of_them() -> None:
        async with Client(policy(manners=manners), Names("127.0.0.1")) as client:
            await asyncio.gather(*(client.get(site.url(f"{i}.jpg", host)) for i, host in enumerate(hosts)))

    asyncio.run(all_of_them())
    assert len(site.asked) == 30
    assert max(site.most.values()) <= per_host
    assert site.most_in_all == min(3 * per_host, in_all)  # the limits hold, and are made use of


def test_a_host_that_asks_for_a_pause_gets_it() -> None:
    clock = Watch()
    started: list[float] = []

    async def two() -> None:
        turns = Turns(Manners(host_delay=0), clock)
        async with turns.turn("a"):
            started.append(clock.now())
        turns.pause("a", 30)
        async with turns.turn("b"):
            started.append(clock.now())
        async with turns.turn("a"):
            started.append(clock.now())

    asyncio.run(two())
    assert started == [0, 0, 30]
