"""`conduct` with a crew whose events are written down: what is asked of it, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concepts.errors import CorpusError, MissingExtra, SettingsError, StageIncomplete
from corpus.executors.attempt import Failed, Returned
from corpus.executors.crew import Answered, Event, Lost, Ready, Unusable, conduct
from corpus.executors.outcomes import Done, SetAside


class Scripted:
    """Starts at once; `play` says what becomes of each (worker, item)."""

    def __init__(self, size: int, play: Callable[[int, Any], Event]) -> None:
        self.size = size
        self.play = play
        self.started: list[int] = []
        self.given: list[Any] = []
        self.most = 0
        self.closed = 0
        self._coming: list[Event] = []
        self._at_work: dict[int, Any] = {}

    def start(self, worker: int) -> None:
        self.started.append(worker)
        self._coming.append(Ready(worker))

    def give(self, worker: int, item: Any) -> None:
        assert worker not in self._at_work
        self.given.append(item)
        self._at_work[worker] = item
        self.most = max(self.most, len(self._at_work))

    def events(self) -> list[Event]:
        if self._coming:
            coming, self._coming = self._coming, []
            return coming
        at_work, self._at_work = self._at_work, {}
        return [self.play(worker, item) for worker, item in at_work.items()]

    def close(self) -> None:
        self.closed += 1


def doubled(worker: int, item: int) -> Event:
    return Answered(worker, Returned(2 * item))


def test_as_many_items_are_under_way_as_there_are_workers() -> None:
    crew = Scripted(3, doubled)
    outcomes = conduct(crew, range(100), 3)
    assert next(outcomes) == Done(0, 0, 0, 1)
    assert crew.given == [0, 1, 2, 3, 4, 5]  # three are done, and their workers go on meanwhile
    assert len(list(outcomes)) == 99
    assert crew.most == 3
    assert crew.started == [0, 1, 2]
    assert crew.closed == 1


def test_an_idle_worker_takes_what_another_failed_with() -> None:
    def play(worker: int, item: str) -> Event:
        if crew.given.count(item) == 1:
            return Answered(worker, Failed("busy"))
        return Answered(worker, Returned(worker))

    crew = Scripted(2, play)
    assert list(conduct(crew, ["a"], 2)) == [Done(0, "a", 1, 2)]  # worker 1 has waited longest


def test_a_lost_worker_is_started_again_and_its_item_tried_again() -> None:
    def play(worker: int, item: int) -> Event:
        return Lost(worker, "gone") if crew.given == [0, 1] and item == 1 else doubled(worker, item)

    crew = Scripted(2, play)
    assert sorted(conduct(crew, range(3), 3), key=lambda each: each.index) == [
        Done(0, 0, 0, 1), Done(1, 1, 2, 2), Done(2, 2, 4, 1),
    ]  # fmt: skip
    assert crew.started == [0, 1, 1]


def test_a_lost_idle_worker_gets_no_item() -> None:
    events: list[list[Event]] = [
        [Ready(0), Ready(1)],  # worker 1 finds nothing to do
        *[[Lost(1, "gone")], [Ready(1)]] * 5,  # it was ready: that is no bad start
        [Lost(1, "gone")],
        [Answered(0, Failed("busy"))],
        [Answered(0, Returned("done"))],
    ]
    crew = Scripted(2, doubled)
    crew.events = lambda: events.pop(0)  # type: ignore[method-assign]
    crew.give = lambda worker, item: crew.given.append(worker)  # type: ignore[method-assign]
    assert list(conduct(crew, ["a"], 2)) == [Done(0, "a", "done", 2)]
    assert crew.given == [0, 0]


def test_losses_count_as_attempts() -> None:
    crew = Scripted(1, lambda worker, item: Lost(worker, "gone"))
    assert list(conduct(crew, ["a"], 3)) == [SetAside(0, "a", "gone", 3)]
    assert crew.given == ["a", "a", "a"]


def test_workers_that_die_before_they_are_ready() -> None:
    crew = Scripted(2, doubled)
    crew.events = lambda: [Lost(crew.started[-1], "exit code 1")]  # type: ignore[method-assign]
    with pytest.raises(StageIncomplete, match=r"3 workers in a row .* \(exit code 1\)"):
        list(conduct(crew, range(9), 3))
    assert crew.started == [0, 1, 1, 1]
    assert crew.closed == 1


def test_single_bad_starts_between_good_ones_end_nothing() -> None:
    events: list[list[Event]] = []
    for _ in range(5):
        events += [[Lost(0, "gone")], [Lost(0, "gone")], [Ready(0)], [Lost(0, "gone at work")]]
    crew = Scripted(1, doubled)
    crew.events = lambda: events.pop(0)  # type: ignore[method-assign]
    crew.give = lambda worker, item: crew.given.append(worker)  # type: ignore[method-assign]
    assert list(conduct(crew, ["a"], 5)) == [SetAside(0, "a", "gone at work", 5)]


def test_a_task_that_cannot_be_loaded() -> None:
    crew = Scripted(1, doubled)
    crew.events = lambda: [Unusable(0, "no module named corpus")]  # type: ignore[method-assign]
    with pytest.raises(MissingExtra, match="no module named corpus"):
        list(conduct(crew, range(9), 3))
    assert crew.closed == 1


def test_an_error_of_the_whole_work_is_raised_and_closes() -> None:
    crew = Scripted(2, lambda worker, item: Answered(worker, Failed("level=2", SettingsError("level=2"))))
    with pytest.raises(SettingsError, match="level=2"):
        list(conduct(crew, range(9), 3))
    assert crew.closed == 1


def test_leaving_the_loop_closes() -> None:
    crew = Scripted(2, doubled)
    outcomes = conduct(crew, range(9), 3)
    with pytest.raises(CorpusError):
        raise_at_first(outcomes)
    del outcomes
    assert crew.closed == 1


def raise_at_first(outcomes: Any) -> None:
    for outcome in outcomes:
        raise CorpusError(str(outcome))


def test_without_items_nothing_is_started() -> None:
    crew = Scripted(2, doubled)
    assert list(conduct(crew, [], 3)) == []
    assert (crew.started, crew.closed) == ([], 1)
