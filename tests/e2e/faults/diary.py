"""What the long tests of faults have tried, on disk, so that they go on where they were stopped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

TORTURE = ROOT / "build" / "torture"
"""Where the long tests write. A diary that is deleted begins anew."""


@dataclass
class Case:
    """Something that happened to a run, and what became of it.

    Attributes:
        chain: Number of the run; several things happen to it, one after the other.
        kind: What happened.
        target: Where it was to happen.
        detail: The moment, the size, or the file.
        hit: Where it happened; None: not at all.
        code: How the process ended.
        repeated: Parts that were begun before and after it.
        failures: What is not as promised; one line each.
    """

    chain: int
    kind: str
    target: str
    detail: str
    hit: str | None = None
    code: int | None = None
    repeated: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Diary:
    """Cases in a JSON file.

    Attributes:
        path: The file.
    """

    path: Path

    def read(self) -> list[Case]:
        """Return the cases that were tried so far."""
        rows = json.loads(self.path.read_text())["cases"] if self.path.exists() else []
        return [Case(**row) for row in rows]

    def write(self, cases: list[Case], **more: Any) -> None:
        """Keep all cases, with their totals and more."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {**totals(cases), **more, "cases": [vars(case) for case in cases]}
        temporary = self.path.with_suffix(".part")
        temporary.write_text(json.dumps(content, indent=1) + "\n")
        temporary.replace(self.path)


def totals(cases: list[Case]) -> dict[str, Any]:
    """Return the figures of cases: those that happened to a process at work count."""
    hits = [case for case in cases if case.hit is not None]
    return {
        "hits": len(hits),
        "by_stage": _tally(case.hit or "" for case in hits),
        "by_kind": _tally(case.kind for case in hits),
        "most_parts_repeated": max((case.repeated for case in cases), default=0),
        "failures": list(failures(cases)),
    }


def failures(cases: list[Case]) -> Iterator[str]:
    """Yield what was not as promised, with the case that shows it."""
    for case in cases:
        where = f"chain {case.chain}, {case.kind} in {case.target} ({case.detail}; hit {case.hit})"
        yield from (f"{where}: {line}" for line in case.failures)


def _tally(names: Iterable[str]) -> dict[str, int]:
    found = list(names)
    return {name: found.count(name) for name in sorted(set(found))}
