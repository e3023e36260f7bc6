"""Progress and notes on stderr: a bar for people at a terminal, a line a minute for everything else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from fit.report import names

if TYPE_CHECKING:
    from rich.progress import Progress, Task

MINUTE = 60.0
"""Seconds between two lines where stderr is no terminal; shorter work says nothing."""


class Bar(Protocol):
    """What a stage tells about how far it is."""

    def advance(self, n: int = 1) -> None:
        """Tell that ``n`` more units are done."""


class Lines:
    """Tells how far the work is, how fast it goes and what is left, in a line each minute.

    The speed is that of the later half of the work: what is done once at the beginning (loading a model)
    says nothing of the time left.
    """

    def __init__(
        self, total: int, unit: str, label: str, done: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin to measure.

        Args:
            total: Units of work in all.
            unit: What is counted, in the plural.
            label: What is being done.
            done: Units that were done before.
            clock: Seconds that never go back.
        """
        self._total, self._unit, self._label, self._clock = total, unit, label, clock
        self._before = self._done = done
        self._told = clock()
        self._marks = [(self._told, done)]

    def advance(self, n: int = 1) -> None:
        """Tell that ``n`` more units are done."""
        self._done += n
        now = self._clock()
        if now - self._told >= MINUTE:
            self._told = now
            half = self._before + (self._done - self._before) / 2
            since, done = next(mark for mark in reversed(self._marks) if mark[1] <= half)
            speed = (self._done - done) / (now - since)
            self._marks.append((now, self._done))
            left = span((self._total - self._done) / speed) if speed > 0 else "?"
            far = f"{self._done:,} of {self._total:,} {self._unit}"
            note(f"{self._label}: {far}, {speed:,.1f} {self._unit}/s, {left} left")


@contextmanager
def bar(total: int, unit: str, label: str, done: int = 0) -> Iterator[Bar]:
    """Show how far the work is while the block runs.

    Args:
        total: Units of work in all.
        unit: What is counted, in the plural, such as ``"images"``.
        label: What is being done, such as the stage's name.
        done: Units that were done before; they do not count for the speed.
    """
    if not sys.stderr.isatty():
        yield Lines(total, unit, label, done)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit),
        TextColumn("{task.fields[speed]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total, completed=done, speed="")

        class Shown:
            def advance(self, n: int = 1) -> None:
                progress.advance(task, n)
                progress.update(task, speed=_speed(progress, unit))

        yield Shown()


def span(seconds: float) -> str:
    """Return a span of time in its two largest units, such as ``2 h 05 min``."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def note(text: str) -> None:
    """Write one line on stderr; what it quotes of strangers cannot steer the terminal."""
    print(names.line(text), file=sys.stderr, flush=True)


def _speed(progress: Progress, unit: str) -> str:
    task: Task = progress.tasks[0]
    return f"{task.speed:,.1f} {unit}/s" if task.speed else ""
