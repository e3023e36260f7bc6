"""Progress and notes on stderr: a bar for people at a terminal, quiet for everything else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Bar(Protocol):
    """What a stage tells about how far it is."""

    def advance(self, n: int = 1) -> None:
        """Tell that ``n`` more units are done."""


class _Quiet:
    def advance(self, n: int = 1) -> None:
        """Tell nobody."""


@contextmanager
def bar(total: int, unit: str, label: str) -> Iterator[Bar]:
    """Show a progress bar while the block runs; nothing where stderr is no terminal.

    Args:
        total: Units of work to come.
        unit: What is counted, in the plural, such as ``"images"``.
        label: What is being done, such as the stage's name.
    """
    if not sys.stderr.isatty():
        yield _Quiet()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)

        class Shown:
            def advance(self, n: int = 1) -> None:
                progress.advance(task, n)

        yield Shown()


def note(text: str) -> None:
    """Write one line on stderr."""
    print(text, file=sys.stderr, flush=True)
