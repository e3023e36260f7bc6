from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from corpus.fetch.policy import Manners
from corpus.fetch.waiting import asked_wait, next_wait

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0.0),  # in the past
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
        ("٣", None),
    ],
)
def test_what_a_server_asks_for(header: str | None, seconds: float | None) -> None:
    assert asked_wait(header, NOW) == seconds


def test_an_absurd_number_is_a_long_wait() -> None:
    wait = asked_wait("9" * 5000)
    assert wait is not None
    assert next_wait(Manners(), 0, wait, random.Random(1)) is None


def test_waits_double_up_to_the_longest_and_are_shortened_at_random() -> None:
    manners = Manners(first_wait=1, longest_wait=6)
    chance = random.Random(1)
    for attempt, whole in enumerate((1, 2, 4, 6, 6)):
        waits = [next_wait(manners, attempt, None, chance) for _ in range(200)]
        assert min(waits) >= whole / 2  # type: ignore[type-var]
        assert max(waits) <= whole  # type: ignore[type-var]
        assert len(set(waits)) == 200


def test_the_server_is_waited_for_up_to_the_longest() -> None:
    manners = Manners(first_wait=1, longest_wait=60)
    assert next_wait(manners, 0, 60.0, random.Random(1)) == 60.0
    assert next_wait(manners, 0, 61.0, random.Random(1)) is None
    wait = next_wait(manners, 3, 0.5, random.Random(1))
    assert wait is not None
    assert wait >= 4  # never sooner than on our own account
