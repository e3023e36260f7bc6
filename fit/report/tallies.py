"""Totals and key figures: what was left out, concepts by verdict, the numbers at a glance."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fit.report.inputs import CurvePoint, SkippedItem, Subject
from fit.report.names import shown
from fit.report.numbers import count, images, level, of_images, plural, score, span
from fit.report.verdict import Verdict

VERDICTS: Mapping[str | None, str] = {
    "imitated": "imitated",
    "unclear": "unclear",
    "not": "not imitated",
    None: "no verdict",
}
"""Verdicts of a concept and how they are written, in the order of the legend."""

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Everything that one stage left out for one reason: rows, concepts they concern, and a few names."""

    stage: str
    reason: str
    items: int
    concepts: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number at a glance: its name, its value as printed, and a note below it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Below:
    """Concepts with a frequency below `safe_below`: how many have a verdict, and who of them is imitated."""

    judged: int
    imitated: tuple[str, ...]


def left_out(skipped: Iterable[SkippedItem]) -> tuple[LeftOut, ...]:
    """Totals by stage and reason, stages in order of appearance, then the most frequent reason first."""
    groups: dict[tuple[str, str], list[SkippedItem]] = defaultdict(list)
    stages: dict[str, int] = {}
    for item in skipped:
        groups[item.stage, item.reason].append(item)
        stages.setdefault(item.stage, len(stages))
    totals = []
    for (stage, reason), items in groups.items():
        names = sorted({item.concept for item in items if item.concept})
        examples = tuple(shown(name, 40) for name in names[:_EXAMPLES])
        totals.append(LeftOut(shown(stage), shown(reason), len(items), len(names), examples))
    return tuple(sorted(totals, key=lambda total: (stages.get(total.stage, 0), -total.items, total.reason)))


def verdict_tally(points: Iterable[CurvePoint]) -> dict[str, int]:
    """Number of concepts by verdict as written, in the order of the legend; absent verdicts are left out."""
    written = [VERDICTS[point.verdict] for point in points]
    return {words: written.count(words) for words in VERDICTS.values() if words in written}


def below_limit(points: Iterable[CurvePoint], limit: float | None) -> Below | None:
    """Who lies below the limit (images); None where there is no limit."""
    if limit is None:
        return None
    below = [point for point in points if point.frequency is not None and point.frequency < limit]
    judged = [point for point in below if point.verdict is not None]
    return Below(len(judged), tuple(point.concept for point in judged if point.verdict == "imitated"))


def safe_sentence(limit: float, below: Below, verdict: Verdict, subject: Subject) -> str:
    """What `safe_below` says, and what it does not say of single concepts."""
    average = (
        f"Below {of_images(limit)} the average {subject.noun} is not imitated "
        f"(one-sided bound at {level(verdict.level)})"
    )
    if not below.judged:
        return f"{average}; no single {subject.noun} with an estimate below it has a verdict."
    names = ", ".join(shown(name, 40) for name in below.imitated[:_EXAMPLES])
    more = len(below.imitated) - _EXAMPLES
    listed = f" ({names}{f' and {count(more)} more' if more > 0 else ''})" if names else ""
    imitated = len(below.imitated)
    how_many = f"{count(imitated)} {'is' if imitated == 1 else 'are'}" if imitated else "none is"
    many = plural(below.judged, subject.noun, subject.noun_plural)
    return f"{average}; of the {many} with an estimate below it, {how_many} individually imitated{listed}."


def key_figures(verdict: Verdict, published: Verdict | None, below: Below | None) -> tuple[Figure, ...]:
    """The numbers at a glance, only those that exist."""
    figures = []
    interval = span(*verdict.interval) if verdict.interval else None
    if verdict.status == "threshold" and verdict.threshold is not None:
        name = "Threshold" if verdict.shape == "step" else "Half of the rise"
        name = "Published method" if verdict.method == "mimetic2" else name
        note = f"{level(verdict.level)} interval {interval}" if interval else "images"
        figures.append(Figure(name, images(verdict.threshold), note))
    transition = span(*verdict.transition) if verdict.transition else None
    if transition and verdict.shape != "step":
        figures.append(Figure("10–90 % of the rise", transition, "images"))
    if verdict.safe_below is not None and below is not None:
        note = f"{count(len(below.imitated))} of {count(below.judged)} below are imitated"
        figures.append(Figure("Safe below", images(verdict.safe_below), note))
    if verdict.baseline is not None and verdict.ceiling is not None and verdict.rises:
        value = f"{score(verdict.baseline)} → {score(verdict.ceiling)}"
        figures.append(Figure("Mean score", value, "baseline → ceiling"))
    if verdict.rate_threshold is not None:
        bounds = span(*verdict.rate_interval) if verdict.rate_interval else None
        note = f"{level(verdict.level)} interval {bounds}" if bounds else "images"
        figures.append(Figure("Half of the images pass", images(verdict.rate_threshold), note))
    if published is not None and published.threshold is not None and verdict.method != "mimetic2":
        figures.append(Figure("Published method", images(published.threshold), "for comparison"))
    return tuple(figures)
