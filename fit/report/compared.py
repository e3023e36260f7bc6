"""Runs side by side: what their page, their Markdown and their drawing say."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from fit.report import palette
from fit.report.compare_drawing import compare_specification
from fit.report.drawing import NARROW, to_svg
from fit.report.guard import content_policy
from fit.report.inputs import CurvePoint
from fit.report.names import shown
from fit.report.numbers import DASH, images, level, plural
from fit.report.rendering import MarkdownText, notes, own_file, pages
from fit.report.sides import Side
from fit.report.svg import in_page, standing_alone
from fit.report.tallies import VERDICTS
from fit.report.verdict import Bounds

DRAWING = "compare.svg"
"""Name under which the Markdown expects the drawing beside it."""

CHANGES = 200
"""Concepts with another verdict that a page lists at most; all of them are in the JSON."""


@dataclass(frozen=True, slots=True)
class Between:
    """The thresholds of two runs.

    Attributes:
        first, second: their letters.
        factor: how many times as many images the second takes; None where nothing can be said.
        interval: bounds of the factor.
        reason: why there is none.
        p_value: of "the rise is at the same place", adjusted for the number of pairs.
    """

    first: str
    second: str
    factor: float | None
    interval: Bounds | None
    reason: str | None
    p_value: float | None

    def sentence(self, confidence: float) -> str:
        """The difference in a sentence."""
        if self.factor is None:
            return f"{self.first} and {self.second}: no factor between them, for {self.reason}."
        told = f"The rise of {self.second} lies at {times(self.factor)} the images of {self.first}’s"
        ends = spread_of(self.interval)
        told += f" ({level(confidence)} interval {ends})" if ends else " (the data do not bound this factor)"
        low, high = self.interval or (None, None)
        if (low is None or low <= 1) and (high is None or high >= 1):
            told += ", which leaves open that both are the same"
        return f"{told}."


@dataclass(frozen=True, slots=True)
class Changes:
    """Concepts with another verdict in the second run.

    Attributes:
        first, second: letters of the runs.
        kinds: (verdict in the first, in the second, concepts), the most frequent first.
        concepts: (concept, its point in the first, its point in the second), by name.
    """

    first: str
    second: str
    kinds: tuple[tuple[str, str, int], ...]
    concepts: tuple[tuple[str, CurvePoint, CurvePoint], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side on the concepts that all of them have on their curves."""

    sides: tuple[Side, ...]
    sentence: str
    level: float
    between: tuple[Between, ...]
    changes: tuple[Changes, ...]
    concepts: int

    @property
    def alt(self) -> str:
        """The drawing in words."""
        told = "; ".join(f"{side.letter}, {shown(side.label, 60)}: {side.finding}" for side in self.sides)
        return (
            f"The imitation curves of {len(self.sides)} runs on {self.concepts:,} concepts, overlaid. {told}."
        )


def changes(sides: tuple[Side, ...]) -> tuple[Changes, ...]:
    """Say which concepts have another verdict in the next run."""
    return tuple(_changes(one, other) for one, other in pairwise(sides))


def _changes(one: Side, other: Side) -> Changes:
    there = {point.concept: point for point in other.points}
    moved = sorted(
        (p.concept, p, there[p.concept]) for p in one.points if p.verdict != there[p.concept].verdict
    )
    kinds: dict[tuple[str, str], int] = {}
    for _, before, after in moved:
        kind = VERDICTS[before.verdict], VERDICTS[after.verdict]
        kinds[kind] = kinds.get(kind, 0) + 1
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    return Changes(one.letter, other.letter, tuple((*kind, n) for kind, n in ordered), tuple(moved))


def change_sentence(change: Changes) -> str:
    """How many concepts change their verdict, and how."""
    many = plural(len(change.concepts), "concept has", "concepts have")
    kinds = "; ".join(f"{number:,} from {before} to {after}" for before, after, number in change.kinds)
    return f"From {change.first} to {change.second}, {many} another verdict{f': {kinds}' if kinds else ''}."


def times(factor: float) -> str:
    """A factor with two digits that count: ``0.83 times``, ``14 times``."""
    return f"{_digits(factor)} times"


def spread_of(interval: Bounds | None) -> str | None:
    """The ends of a factor; an open one is said."""
    low, high = interval or (None, None)
    if low is None or high is None:
        ends = [("at least", low), ("at most", high)]
        return next((f"{word} {_digits(end)}" for word, end in ends if end is not None), None)
    return f"{_digits(low)}{DASH}{_digits(high)}"


def _digits(value: float) -> str:
    return images(value) if value >= 10 else f"{value:.2g}"


def compared_specification(found: Comparison) -> dict[str, Any]:
    """The overlaid curves as a Vega-Lite specification with its data."""
    return compare_specification(found.sides)


def compared_svg(found: Comparison) -> str:
    """The overlaid curves as a drawing of their own, light or dark as the reader's system asks."""
    drawn = to_svg(compared_specification(found))
    return standing_alone(drawn, found.alt, palette.light("paper"), palette.drawing_colours())


def render_compared_html(found: Comparison) -> str:
    """The comparison as one page: no network, no script."""
    style = Markup(palette.page_colours() + own_file("style.css"))  # noqa: S704 - our own files
    wide, narrow = (
        Markup(in_page(to_svg(spec), found.alt))  # noqa: S704 - an XML writer escaped it
        for spec in (compared_specification(found), compare_specification(found.sides, NARROW))
    )
    page = pages().get_template("compare.html.j2")
    return page.render(**_told(found), style=style, guard=content_policy(style), wide=wide, narrow=narrow)


def render_compared_markdown(found: Comparison) -> str:
    """The comparison as Markdown; it shows `compare.svg`, which has to be written beside it."""
    return notes().get_template("compare.md.j2").render(**_told(found), drawing=MarkdownText(DRAWING))


def _told(found: Comparison) -> dict[str, Any]:
    return {
        "found": found,
        "between": [(each, each.sentence(found.level), spread_of(each.interval)) for each in found.between],
        "changes": [(each, change_sentence(each), each.concepts[:CHANGES]) for each in found.changes],
        "times": times,
    }
