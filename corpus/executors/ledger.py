"""Which items wait, how often each was tried, and when one is given up: the same for all executors."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from corpus.executors.outcomes import Done, Item, Result, SetAside


@dataclass(frozen=True, slots=True)
class Ticket(Generic[Item]):
    """One attempt at one item.

    Attributes:
        index: The item's position, from 0.
        item: The item.
        attempt: Which attempt this is, from 1.
    """

    index: int
    item: Item
    attempt: int


class Ledger(Generic[Item]):
    """Hands out attempts and takes their ends. It holds the items that failed, not those that are done."""

    def __init__(self, items: Sequence[Item], attempts: int) -> None:
        """Open the books.

        Args:
            items: What there is to do.
            attempts: How often an item may be tried, at least 1.
        """
        self._items = items
        self._attempts = attempts
        self._fresh = iter(range(len(items)))
        self._again: deque[Ticket[Item]] = deque()
        self._open = len(items)

    @property
    def settled(self) -> bool:
        """Whether every item is done or set aside."""
        return self._open == 0

    def take(self) -> Ticket[Item] | None:
        """Return the next attempt: first attempts in the items' order, then the others; None if none waits.

        Second attempts come last, so that what was wrong (a busy disk, a lost connection) has time to pass.
        """
        index = next(self._fresh, None)
        if index is not None:
            return Ticket(index, self._items[index], 1)
        return self._again.popleft() if self._again else None

    def done(self, ticket: Ticket[Item], result: Result) -> Done[Item, Result]:
        """Close an item with its result."""
        self._open -= 1
        return Done(ticket.index, ticket.item, result, ticket.attempt)

    def failed(self, ticket: Ticket[Item], reason: str) -> SetAside[Item] | None:
        """Queue an item's next attempt (None is returned), or close it when there is none left."""
        if ticket.attempt < self._attempts:
            self._again.append(Ticket(ticket.index, ticket.item, ticket.attempt + 1))
            return None
        self._open -= 1
        return SetAside(ticket.index, ticket.item, reason, ticket.attempt)
