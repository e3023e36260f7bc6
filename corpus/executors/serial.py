"""One item after the other in this process: nothing to start, nothing to send, easy to debug."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from corpus.executors.attempt import Failed, attempt
from corpus.executors.ledger import Ledger
from corpus.executors.outcomes import ATTEMPTS, Executor, Item, Outcome, Result


@dataclass(frozen=True)
class SerialExecutor(Executor):
    """Works in the calling process.

    Attributes:
        attempts: How often an item is tried, at least 1.
    """

    attempts: int = ATTEMPTS

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Outcome[Item, Result]]:
        """Yield the outcomes, as `Executor.map` says; what kills a worker kills this process here."""
        ledger = Ledger(items, self.attempts)
        while (ticket := ledger.take()) is not None:
            answer = attempt(task, ticket.item)
            if not isinstance(answer, Failed):
                yield ledger.done(ticket, answer.result)
            elif answer.error is not None:
                raise answer.error
            elif (given_up := ledger.failed(ticket, answer.reason)) is not None:
                yield given_up

    def close(self) -> None:
        """There is nothing to end."""
