"""How long to wait before a request is made again."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from corpus.fetch.policy import Manners


def next_wait(manners: Manners, attempt: int, asked: float | None, chance: random.Random) -> float | None:
    """Return the seconds to wait, None where the server asks for more than we grant.

    The wait doubles with each attempt and is shortened by up to a half at random, so that many who were
    turned away at once do not come back at once.

    Args:
        manners: The first and the longest wait.
        attempt: Attempts before this one, from 0.
        asked: What the server asks for, None where it does not.
        chance: Random numbers.
    """
    if asked is not None and asked > manners.longest_wait:
        return None
    own = min(manners.first_wait * 2.0**attempt, manners.longest_wait)
    return max(own * (1 - chance.random() / 2), asked or 0.0)


def asked_wait(header: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds that a ``Retry-After`` asks for, None where it is absent or no time.

    Args:
        header: Whole seconds or a date (RFC 9110, 10.2.3).
        now: The time now; None: the clock's.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max((until - (now or datetime.now(UTC))).total_seconds(), 0.0)
