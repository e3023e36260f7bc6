"""Workers that are not this process, whatever they are, and how a list of items is done with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from concepts.errors import MissingExtra, StageIncomplete
from corpus.executors.attempt import Answer, Failed
from corpus.executors.ledger import Ledger, Ticket
from corpus.executors.outcomes import Item, Outcome

STARTS = 3
"""Workers that may die one after the other before any is ready."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker has the task and waits for an item."""

    worker: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A worker cannot load the task; no other would."""

    worker: int
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A worker is through with its item and waits for the next one."""

    worker: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker has died, and the item it worked on, if any, has no answer."""

    worker: int
    reason: str


Event: TypeAlias = Ready | Unusable | Answered | Lost


class Crew(Protocol):
    """Workers, known by a number from 0; each works on one item at a time."""

    size: int

    def start(self, worker: int) -> None:
        """Start a worker, or start it anew after it was lost; `Ready` follows."""
        ...

    def give(self, worker: int, item: Any) -> None:
        """Hand an item to a worker that is ready; `Answered` or `Lost` follows."""
        ...

    def events(self) -> list[Event]:
        """Wait until something has happened, and return it.

        Raises:
            StageIncomplete: Nothing can happen any more.
        """
        ...

    def close(self) -> None:
        """End all workers at once and wait for their end."""
        ...


def conduct(crew: Crew, items: Sequence[Item], attempts: int) -> Iterator[Outcome[Item, Any]]:
    """Yield the outcomes of the items, as `Executor.map` says, and close the crew at the end.

    As many items as there are workers are under way, and as many results wait for the caller at most.
    """
    work = _Work(crew, Ledger(items, attempts))
    with closing(crew):
        if not work.ledger.settled:
            for worker in range(crew.size):
                crew.start(worker)
        while not work.ledger.settled:
            # Workers are kept busy before the caller, who may take long, gets to see the results.
            yield from [outcome for event in crew.events() for outcome in work.react(event)]


class _Work:
    """Who works on what."""

    def __init__(self, crew: Crew, ledger: Ledger[Any]) -> None:
        self.ledger = ledger
        self._crew = crew
        self._idle: deque[int] = deque()
        self._under_way: dict[int, Ticket[Any]] = {}
        self._failed_starts = 0

    def react(self, event: Event) -> list[Outcome[Any, Any]]:
        """Take in what happened, hand out what there is to do, and return the items that are settled."""
        outcome: Outcome[Any, Any] | None = None
        if isinstance(event, Unusable):
            raise MissingExtra(
                f"the workers cannot load the task ({event.reason}); "
                "the same version of imitation-threshold has to be installed wherever they run"
            )
        if isinstance(event, Lost):
            outcome = self._lost(event)
        else:
            self._failed_starts = 0
            if isinstance(event, Answered):
                outcome = self._answered(event)
            self._idle.append(event.worker)
        self._hand_out()
        return [] if outcome is None else [outcome]

    def _answered(self, event: Answered) -> Outcome[Any, Any] | None:
        ticket = self._under_way.pop(event.worker)
        answer = event.answer
        if not isinstance(answer, Failed):
            return self.ledger.done(ticket, answer.result)
        if answer.error is not None:
            raise answer.error
        return self.ledger.failed(ticket, answer.reason)

    def _lost(self, event: Lost) -> Outcome[Any, Any] | None:
        ticket = self._under_way.pop(event.worker, None)
        if event.worker in self._idle:
            self._idle.remove(event.worker)
        elif ticket is None:
            self._failed_starts += 1
        if self._failed_starts >= STARTS:
            raise StageIncomplete(
                f"{STARTS} workers in a row died before they were ready ({event.reason}); "
                "see their messages, or run with --workers 1"
            )
        self._crew.start(event.worker)
        return None if ticket is None else self.ledger.failed(ticket, event.reason)

    def _hand_out(self) -> None:
        while self._idle and (ticket := self.ledger.take()) is not None:
            worker = self._idle.popleft()
            self._under_way[worker] = ticket
            self._crew.give(worker, ticket.item)
