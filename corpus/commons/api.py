"""Asking a MediaWiki interface: politely, again when it is busy, and with one line for what goes wrong.

One request at a time to each interface, a User-Agent with an address, ``maxlag``, and waits as asked for:
https://foundation.wikimedia.org/wiki/Policy:User-Agent_policy, https://www.mediawiki.org/wiki/API:Etiquette.
"""

from __future__ import annotations

import random
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from concepts.errors import CorpusError
from corpus.fetch.policy import Policy
from corpus.fetch.turns import Clock, LoopClock, Turns
from corpus.fetch.waiting import asked_wait, next_wait

MAXLAG = 5  # seconds that the servers' copies may lag behind before we wait
_BUSY = ("maxlag", "ratelimited", "readonly")


class WikiApi:
    """The interfaces of wikis; use it as an asynchronous context."""

    def __init__(self, policy: Policy, clock: Clock | None = None) -> None:
        """Take who asks, how politely, and a clock of one's own for tests."""
        self._policy, self._clock = policy, clock or LoopClock()
        self._chance = random.Random(policy.seed)

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._turns = Turns(self._policy.manners, self._clock)
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": self._policy.user_agent, "Accept": "application/json"},
            timeout=aiohttp.ClientTimeout(total=self._policy.manners.total_timeout),
            trust_env=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        await self._session.close()

    async def ask(self, endpoint: str, **parameters: str) -> dict[str, Any]:
        """Return an answer as JSON.

        Raises:
            CorpusError: There is none after all attempts, or the interface refuses the question.
        """
        asked = {**parameters, "format": "json", "formatversion": "2", "maxlag": str(MAXLAG)}
        reason = ""
        for attempt in range(self._policy.manners.retries + 1):
            answer = await self._once(endpoint, asked)
            if isinstance(answer, dict):
                return answer
            reason, wait = answer
            wait = next_wait(self._policy.manners, attempt, wait, self._chance)
            if wait is None or attempt == self._policy.manners.retries:
                break
            await self._clock.sleep(wait)
        raise CorpusError(f"{endpoint}: {reason}; try again later, what was fetched is kept")

    async def _once(self, endpoint: str, asked: dict[str, str]) -> dict[str, Any] | tuple[str, float | None]:
        """Return the answer, or why there is none and how long the server asks to wait."""
        url = URL(endpoint)
        try:
            async with self._turns.turn(url.host or ""), self._session.get(url, params=asked) as response:
                wait = asked_wait(response.headers.get("Retry-After"))
                if response.status != 200:
                    if response.status < 500 and response.status != 429:
                        raise CorpusError(f"{endpoint}: HTTP {response.status}; is it a MediaWiki interface?")
                    return f"HTTP {response.status}", wait
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"cannot be reached ({type(error).__name__})", None
        except ValueError as error:
            raise CorpusError(f"{endpoint}: answers with something else than JSON") from error
        if not isinstance(answer, dict):
            raise CorpusError(f"{endpoint}: answers with something else than an object")
        if error_given := answer.get("error"):
            code = str(error_given.get("code"))
            if code in _BUSY:
                return f"busy ({code})", wait
            raise CorpusError(f"{endpoint}: refuses the question ({code}: {error_given.get('info', '')})")
        return answer
