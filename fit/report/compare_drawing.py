"""The drawing of runs side by side: their curves overlaid, the place of each rise above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fit.report import palette
from fit.report.axis import FrequencyAxis, frequency_axis
from fit.report.chart_rows import (
    Named,
    Row,
    axis_values,
    base_axis,
    lane_rows,
    line_rows,
    named_frequencies,
    point_rows,
)
from fit.report.drawing import WIDE, Size, filled, specification
from fit.report.facts import spread
from fit.report.names import shown

if TYPE_CHECKING:
    from fit.report.sides import Side

MARKS = 1_500
"""Concepts that are marked at most in one run: more of several runs would be a blot."""

_COLOURS: Final = tuple(f"run{number}" for number in range(1, 7))
_SHAPES: Final = ("circle", "triangle-up", "square", "diamond", "cross", "triangle-down")
_DASHES: Final = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3])


@dataclass(frozen=True, slots=True)
class _Look:
    """How the marks and lines of a run look."""

    run: str
    colour: str
    shape: str
    dash: list[int]

    @classmethod
    def of(cls, number: int, letter: str) -> _Look:
        return cls(
            letter,
            palette.light(_COLOURS[number % len(_COLOURS)]),
            _SHAPES[number % len(_SHAPES)],
            _DASHES[number % len(_DASHES)],
        )

    def on(self, row: Row) -> Row:
        return {**row, "run": self.run, "colour": self.colour, "shape": self.shape, "dash": self.dash}


def compare_specification(sides: Sequence[Side], size: Size = WIDE) -> dict[str, Any]:
    """Overlaid curves as a Vega-Lite specification with its data inside.

    Args:
        sides: the runs.
        size: of the plotting area.
    """
    axis = frequency_axis([p.frequency for side in sides for p in side.points if p.frequency is not None])
    looks = [_Look.of(number, side.letter) for number, side in enumerate(sides)]
    named = lane_rows([_change(side, size.narrow) for side in sides], axis)
    lanes = [
        look.on({**row, "lane": 2 * number + 1})
        for number, (look, row) in enumerate(zip(looks, named, strict=True))
    ]
    data = {
        "names": [
            look.on({"lane": 2 * number, "label": f"{side.letter}  {shown(side.label, _room(size))}"})
            for number, (look, side) in enumerate(zip(looks, sides, strict=True))
        ],
        "lanes": lanes,
        "points": [row for look, side in zip(looks, sides, strict=True) for row in _points(look, side, axis)],
        "lines": [row for look, side in zip(looks, sides, strict=True) for row in _lines(look, side, axis)],
        **base_axis(axis),
    }
    low, high = _score_range(sides)
    values = {
        **axis_values(axis, skip_threes=size.narrow),
        "yLow": low,
        "yHigh": high,
        "pointSize": 18 if size.narrow else 30,
    }
    return filled(_sized(specification("compare.vl.json"), size), data, values)


def _room(size: Size) -> int:
    return 34 if size.narrow else 90


def _change(side: Side, narrow: bool) -> Named:
    """Where the run's rise lies, for its row above the plot; without a threshold the row says so."""
    for kind, at, ends, label in named_frequencies(side.verdict, None, narrow):
        if kind == "change":
            return kind, at, ends, label
    return "none", None, (0.0, 0.0), "no threshold"


def _points(look: _Look, side: Side, axis: FrequencyAxis) -> list[Row]:
    rows = point_rows(spread(side.points, MARKS), axis)
    return [look.on({**row, "label": f"{look.run}, {row['label']}"}) for row in rows]


def _lines(look: _Look, side: Side, axis: FrequencyAxis) -> list[Row]:
    rows = line_rows(side.verdict, axis, with_isotonic=False)
    return [look.on({**row, "part": f"{look.run} {row['part']}"}) for row in rows]


def _score_range(sides: Sequence[Side]) -> tuple[float, float]:
    scores = [point.score for side in sides for point in side.points if point.score is not None]
    room = 0.06 * (max(scores) - min(scores)) or 0.1
    return min(scores) - room, max(scores) + room


def _sized(spec: Row, size: Size) -> Row:
    lanes, plot = spec["vconcat"]
    lanes["width"], plot["width"], plot["height"] = size.width, size.width, size.height
    if size.narrow:
        plot["encoding"]["x"]["axis"]["title"] = "Training images (estimated)"
    return spec
