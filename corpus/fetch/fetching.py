"""A list of addresses becomes shards of images; what is there already is not asked for again.

Interrupted at any moment, a fetch has lost the shard at work and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aiohttp.abc import AbstractResolver

from concepts.errors import StageIncomplete
from corpus.fetch.client import Client
from corpus.fetch.outcomes import TIMED_OUT, UNREACHABLE, UNRESOLVED, Picture, Refusal, Status
from corpus.fetch.pictures import examine, quiet_decoding
from corpus.fetch.policy import Policy
from corpus.fetch.shards import Kept, Spool, Wanted, finished_shards, keep, shard_key, write_shard
from corpus.fetch.turns import Clock

SHARD = 1000
"""Addresses of a shard: what an interruption loses at most."""

ENOUGH = 20
"""So many addresses of a shard, none of which can be reached, mean that this machine has no network."""

DECODERS = 2  # images that are decoded at a time: bounds the memory

Checker = Callable[[bytes], str | None]
"""Returns why an image must not be kept, None where it may; called in threads."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a fetch works with besides its policy; tests bring their own network and clock.

    Attributes:
        checker: Flags images that must not be kept.
        resolver: Resolves names; None: the system.
        clock: None: the event loop's.
        advance: Is told how many addresses are done.
        shard: Addresses of a shard.
    """

    checker: Checker | None = None
    resolver: Callable[[], AbstractResolver] | None = None
    clock: Clock | None = None
    advance: Callable[[int], None] = lambda number: None
    shard: int = SHARD


def fetch(
    wanted: Sequence[Wanted], folder: Path, policy: Policy, keeping: str, tools: Tools = Tools()
) -> int:
    """Fetch images into a folder, as shards that `corpus.images.ImageStore` reads.

    Args:
        wanted: The addresses; of one that stands there twice, the first counts.
        folder: Where the shards go; made where it is not there.
        policy: To whom to connect, and how.
        keeping: Digest of all that decides which images are kept; shards of another one are removed.
        tools: What it works with.

    Returns:
        How many addresses were new.

    Raises:
        StageIncomplete: Nothing of a shard could be reached; what is done is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = finished_shards(folder, keeping)
    known = {url for urls in done.values() for url in urls}
    tools.advance(len({each.url for each in wanted} & known))
    rest = [each for each in {each.url: each for each in reversed(wanted)}.values() if each.url not in known][
        ::-1
    ]
    if rest:
        with quiet_decoding():
            asyncio.run(_fetch(_numbered(rest, set(done), tools.shard), folder, policy, (keeping, tools)))
    return len(rest)


def _numbered(rest: Sequence[Wanted], used: set[int], size: int) -> Iterator[tuple[int, Sequence[Wanted]]]:
    """Yield (number, addresses) of the shards to make, with the numbers that are free."""
    number = 0
    for start in range(0, len(rest), size):
        while number in used:
            number += 1
        yield number, rest[start : start + size]
        number += 1


async def _fetch(
    shards: Iterator[tuple[int, Sequence[Wanted]]], folder: Path, policy: Policy, how: tuple[str, Tools]
) -> None:
    keeping, tools = how
    # Names are resolved in the loop's own threads, and a dead name server holds each for many seconds.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(policy.manners.at_once))
    resolver = tools.resolver() if tools.resolver else None
    with ThreadPoolExecutor(DECODERS, thread_name_prefix="examine") as pool:
        async with Client(policy, resolver, tools.clock) as client:
            for number, wanted in shards:
                spool = Spool(folder)
                try:
                    worker = _Worker(client, policy, spool, pool, tools)
                    found = await worker.all(number, wanted)
                    _check_network(found)
                    write_shard((folder, number), wanted, found, spool, keeping)
                finally:
                    spool.close()


@dataclass(frozen=True, slots=True)
class _Worker:
    client: Client
    policy: Policy
    spool: Spool
    pool: ThreadPoolExecutor
    tools: Tools

    async def all(self, number: int, wanted: Sequence[Wanted]) -> list[Kept | Refusal]:
        """Fetch the addresses of a shard together."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self.one(shard_key(number, i), each)) for i, each in enumerate(wanted)
                ]
        except* OSError as several:  # a full disk is told as one error, as everywhere else
            raise _first(several) from None
        return [task.result() for task in tasks]

    async def one(self, key: str, wanted: Wanted) -> Kept | Refusal:
        """Fetch and examine one image; only what passes everything touches the disk."""
        body = wanted.refusal or await self.client.get(wanted.url)
        found = body if isinstance(body, Refusal) else await self._keep(key, body)
        self.tools.advance(1)
        return found

    async def _keep(self, key: str, data: bytes) -> Kept | Refusal:
        loop = asyncio.get_running_loop()
        picture = await loop.run_in_executor(self.pool, self._examine, data)
        return picture if isinstance(picture, Refusal) else keep(self.spool, key, picture)

    def _examine(self, data: bytes) -> Picture | Refusal:
        picture = examine(data, self.policy.limits)
        if isinstance(picture, Refusal) or self.tools.checker is None:
            return picture
        reason = self.tools.checker(data)
        return picture if reason is None else Refusal(Status.UNSAFE, f"flagged: {reason}")


def _first(several: BaseExceptionGroup[OSError]) -> OSError:
    error = several.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _check_network(found: Sequence[Kept | Refusal]) -> None:
    """Refuse to write down that links are dead when it is our own network that is."""
    not_asked = (Status.UNSAFE, Status.REFUSED)
    asked = [each for each in found if isinstance(each, Kept) or each.status not in not_asked]
    if len(asked) >= ENOUGH and all(each in (UNRESOLVED, UNREACHABLE, TIMED_OUT) for each in asked):
        raise StageIncomplete(
            f"none of {len(asked)} addresses could be reached, so this machine seems to have no network; "
            "what is done is kept, run the same command again"
        )
