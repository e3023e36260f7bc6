"""A screen's look at every block of a shard, several blocks at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from corpus.embeddings.blas import single_threaded
from corpus.embeddings.rows import Stored
from corpus.embeddings.screen import Sighting

FIRST_ROWS = 256
"""Rows of the first block. It has no floors yet for the nearest rows, so that all its rows are candidates;
each block that follows may be three times as long as all before it."""

_AHEAD = 2
"""Blocks under way or waiting, for each thread."""


def graduated(blocks: Iterator[tuple[int, Stored]], first: int) -> Iterator[tuple[int, Stored]]:
    """Yield the same rows, the first blocks cut short."""
    for start, rows in blocks:
        while len(rows):
            size = max(first, 3 * start)
            yield start, rows[:size]
            start, rows = start + len(rows[:size]), rows[size:]  # noqa: PLW2901 (what is left of the block)


def sweep(
    blocks: Iterator[tuple[int, Stored]], look: Callable[[Stored], Sighting], threads: int, alone: int
) -> Iterator[tuple[int, Sighting]]:
    """Yield (number of the first row, what was seen) for each block in its order.

    Args:
        blocks: Numbers of the first rows, and the rows.
        look: The screen, with the floors as they are when a block is begun.
        threads: Blocks looked at side by side, where that is faster.
        alone: Blocks before this row are looked at one by one: each raises the floors for the next.
    """
    with ExitStack() as stack:
        possible = stack.enter_context(single_threaded()) if threads > 1 else False
        if not possible:
            yield from ((start, look(rows)) for start, rows in blocks)
            return
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        waiting: deque[tuple[int, Future[Sighting]]] = deque()
        stack.callback(lambda: [future.cancel() for _, future in waiting])
        for start, rows in blocks:
            if start < alone:
                yield start, look(rows)
                continue
            waiting.append((start, pool.submit(look, rows)))
            if len(waiting) > _AHEAD * threads:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)


def _next(waiting: deque[tuple[int, Future[Sighting]]]) -> tuple[int, Sighting]:
    start, future = waiting.popleft()
    return start, future.result()
