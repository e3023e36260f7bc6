"""Flags of the concept list: how they stand beside a name, and what they mean for the counts."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from fit.report.inputs import CurvePoint, Subject
from fit.report.names import shown
from fit.report.numbers import count, plural

MARK = "†"
"""Stands after the name of a flagged concept."""

OTHER = "of other kinds"


@cache
def meanings() -> Mapping[str, str]:
    """Return what the known kinds of flags mean for the counts."""
    return tomllib.loads(files("fit.report").joinpath("flags.toml").read_text(encoding="utf-8"))


def _kind(flag: str) -> str:
    """Return the kind of a flag, ``ambiguous`` of ``ambiguous: also a river``; of others, `OTHER`."""
    word = flag.partition(":")[0].strip()
    return word if word in meanings() else OTHER


def told(flags: Sequence[str]) -> str:
    """Return flags in one line, as the concept list has them."""
    return "; ".join(shown(flag) for flag in flags)


def sentences(flags: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence on each flag of a concept: what it is, and what it means for the counts."""
    return tuple(f"The concept list flags it ({shown(flag)}){_meaning(_kind(flag))}." for flag in flags)


def _meaning(name: str) -> str:
    return f": {meanings()[name]}" if name in meanings() else ""


def marked(point: CurvePoint, limit: int) -> str:
    """Return a concept's name, with the mark where the list flags it."""
    name = shown(point.concept, limit)
    return f"{name} {MARK}" if point.flags else name


def summary(points: Iterable[CurvePoint], subject: Subject) -> tuple[str, ...]:
    """Return what the mark says and how many concepts carry it, one sentence; none where none does.

    Args:
        points: All concepts of the run.
        subject: The words of the run.
    """
    every = tuple(points)
    flagged = [point for point in every if point.flags]
    if not flagged:
        return ()
    kinds = Counter(name for point in flagged for name in set(map(_kind, point.flags)))
    told_kinds = "; ".join(
        f"{count(number)} {name}{_meaning(name)}"
        for name, number in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    many = f"{count(len(flagged))} of {plural(len(every), subject.noun, subject.noun_plural)}"
    return (f"The concept list flags {many}, marked {MARK} in the table with the reason ({told_kinds}).",)
