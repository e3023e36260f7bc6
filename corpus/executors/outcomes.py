"""What an executor is, and what becomes of each item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Protocol, Self, TypeAlias, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

ATTEMPTS = 3
"""How often an item is tried by default before it is set aside."""


@dataclass(frozen=True, slots=True)
class Done(Generic[Item, Result]):
    """An item that was worked on to the end.

    Attributes:
        index: Its position among the items, from 0.
        item: The item.
        result: What the task returned for it.
        attempts: How often it was tried, at least 1.
    """

    index: int
    item: Item
    result: Result
    attempts: int


@dataclass(frozen=True, slots=True)
class SetAside(Generic[Item]):
    """An item that failed as often as it may be tried.

    Attributes:
        index: Its position among the items, from 0.
        item: The item.
        reason: Why the last attempt failed, one line.
        attempts: How often it was tried, at least 1.
    """

    index: int
    item: Item
    reason: str
    attempts: int


Outcome: TypeAlias = Done[Item, Result] | SetAside[Item]


class Executor(Protocol):
    """Does the same work on many items. The end of a `with` block ends what it started."""

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Outcome[Item, Result]]:
        """Yield one outcome for each item, as they are ready: the order is not that of the items.

        The work goes on while the caller deals with an outcome, a bounded number of items ahead. An item
        that fails, or whose worker dies, is tried again after all others had their first attempt. Closing
        the iterator, or leaving it by an error, ends the work at once.

        Args:
            task: A picklable callable. It is sent once to each worker, so it may carry much and may prepare
                more at its first call there. What it returns for an item must depend on that item alone.
            items: What to work on. Each is small: it is sent with each attempt.

        Raises:
            FitError: An attempt raised one that tells of no single item, such as a setting out of range: no
                other item would do better, so it is raised at once.
            MissingExtra: The engine needs a package or a cluster that is not there, or its workers cannot
                load the task.
            StageIncomplete: Workers die as they start, or none can be had.
        """
        ...

    def close(self) -> None:
        """End what the executor has started: workers, a cluster of its own. A second time does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
