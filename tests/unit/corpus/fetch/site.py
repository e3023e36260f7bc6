"""A web server on loopback that answers as it is told, pictures, and a name server and a clock of ours."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import numpy as np
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from PIL import Image

from corpus.fetch import AddressRules, Limits, Manners, Policy, parse_networks

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

QUICK = Manners(connect_timeout=2, total_timeout=2, retries=2, host_delay=0.0, at_once=16, at_once_per_host=8)
ALLOWED = AddressRules(parse_networks("127.0.0.1/32"))


def policy(**changes: Any) -> Policy:
    """A policy for tests: quick, and this server's address alone is allowed."""
    given = {"manners": QUICK, "addresses": ALLOWED, "limits": Limits(), **changes}
    return Policy(contact="test@fit.example", version="9", **given)


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30), seed: int = 0, **options: object) -> bytes:
    """An encoded picture of random colours."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def animation(kind: str) -> bytes:
    """Two pictures, one after the other."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()


class Site:
    """A server in a thread of its own.

    Attributes:
        port: Where it listens on 127.0.0.1.
        asked: The paths that were asked for, in order.
        headers: The headers of the last request.
        most: Host -> most requests at a time.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.most: Counter[str] = Counter()
        self.most_in_all = 0
        self._busy: Counter[str] = Counter()
        self._pages: dict[str, Handler] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def forget(self) -> None:
        """Begin a new log; whoever still hangs from an earlier test is in the old one."""
        self.asked, self.most, self.most_in_all, self._busy = [], Counter(), 0, Counter()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{path}"

    def say(
        self, path: str, body: bytes = b"", status: int = 200, kind: str | None = "image/jpeg", **headers: str
    ) -> str:
        """Answer a path always alike; return its address. Headers: ``X_Robots_Tag="noai"``."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind is not None:
            given["Content-Type"] = kind

        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, headers=given)

        return self.do(path, answer)

    def do(self, path: str, handler: Handler) -> str:
        """Answer a path by a function; return its address."""
        self._pages[f"/{path}"] = handler
        return self.url(path)

    async def _start(self) -> int:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0]
        self.asked.append(request.path)
        self.headers = dict(request.headers)
        busy = self._busy
        busy[host] += 1
        self.most[host] = max(self.most[host], busy[host])
        self.most_in_all = max(self.most_in_all, busy.total())
        try:
            handler = self._pages.get(request.path)
            return web.Response(status=404) if handler is None else await handler(request)
        finally:
            busy[host] -= 1


class Names(AbstractResolver):
    """A name server of ours.

    Attributes:
        asked: The names it was asked for.
    """

    def __init__(self, answers: dict[str, list[list[str]]] | str) -> None:
        """Take, for each name, its addresses the first, second, ... time; or one address for all names."""
        self._answers = answers
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        times = self.asked.count(host)
        self.asked.append(host)
        if isinstance(self._answers, str):
            found = [self._answers]
        elif host in self._answers:
            found = self._answers[host][min(times, len(self._answers[host]) - 1)]
        else:
            raise OSError(f"{host}: no such name")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        pass


class Watch:
    """A clock that does not wait but notes how long it would have.

    Attributes:
        slept: The waits, in seconds.
    """

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)
