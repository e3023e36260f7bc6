"""Candidates for the nearest rows: none is lost to the screen's error, and their list stays short."""

from __future__ import annotations

import numpy as np

from corpus.embeddings.exact import Pairs
from corpus.embeddings.leaders import Leaders
from corpus.embeddings.screen import Sighting

NONE = np.empty(0, np.int64)


def seen(cosines: list[float], owner: int = 0) -> Sighting:
    """What a screen sees of one concept in a block."""
    n = len(cosines)
    return Sighting(
        np.full(n, owner, np.int32), np.arange(n, dtype=np.int32), np.float32(cosines), NONE, NONE
    )


class Truth:
    """Exact cosines of rows by their number, and how often they were asked for."""

    def __init__(self, cosines: list[float]) -> None:
        self.cosines, self.asked = np.float32(cosines), 0

    def __call__(self, pairs: Pairs) -> np.ndarray:
        self.asked += len(pairs)
        found: np.ndarray = self.cosines[pairs.rows]
        return found


def test_a_row_that_the_error_puts_behind_is_kept() -> None:
    # The screen is wrong by up to 0.1. It sees 0.5 where 0.42 is, and then 0.35 where 0.44 is.
    leaders = Leaders(1, 1, 0.1, Truth([0.42, 0.44, 0.1]))
    leaders.offer(seen([0.5]), 0)
    # The first row is at least at 0.4, so one that is seen at 0.3 may be nearer.
    assert abs(leaders.floors[0] - 0.3) < 1e-6
    leaders.offer(seen([0.35, 0.2]), 1)
    pairs, cosines = leaders.nearest()
    assert (pairs.rows.tolist(), cosines.tolist()) == ([1], [np.float32(0.44)])


def test_rows_that_are_out_of_reach_are_not_looked_up() -> None:
    truth = Truth([0.9, 0.1, 0.8, 0.2, 0.3])
    leaders = Leaders(1, 2, 0.01, truth)
    leaders.offer(seen([0.9, 0.1, 0.8, 0.2, 0.3]), 0)
    assert leaders.nearest()[0].rows.tolist() == [0, 2]
    assert truth.asked == 2


def test_many_equal_rows_are_settled_before_they_fill_the_memory() -> None:
    truth = Truth([0.5] * 10_000)
    leaders = Leaders(2, 3, 0.01, truth)
    for start in range(0, 10_000, 100):
        leaders.offer(seen([0.5] * 100, owner=1), start)
    # 100 candidates a block, of which three stay once they are known.
    assert truth.asked == 10_000
    pairs, cosines = leaders.nearest()
    assert (pairs.concepts.tolist(), pairs.rows.tolist()) == ([1] * 3, [0, 1, 2])
    assert cosines.tolist() == [0.5] * 3


def test_no_rows_wanted() -> None:
    leaders = Leaders(1, 0, 0.01, Truth([]))
    leaders.offer(seen([1.0, 0.5]), 0)
    assert len(leaders.nearest()[0]) == 0
    assert leaders.floors.tolist() == [np.inf]
