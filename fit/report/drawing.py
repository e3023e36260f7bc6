"""Drawings: chart specifications filled with data and rendered to SVG, without any network."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from statistics import NormalDist
from typing import Any

from fit.report import palette
from fit.report.axis import frequency_axis
from fit.report.chart_rows import (
    Row,
    axis_values,
    base_axis,
    lane_rows,
    level_rows,
    line_rows,
    named_frequencies,
    point_rows,
)
from fit.report.facts import ControlFact, Facts, spread
from fit.report.inputs import CurvePoint
from fit.report.tallies import verdict_tally

VEGA_LITE = "6.4"
"""Pinned, so that a new renderer release cannot silently move the drawings."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of the plotting area in CSS pixels, and whether labels are cut short for a phone."""

    width: int
    height: int
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class ErrorCurve:
    """Error rates of a scorer at cuts from low to high, by the name of the concepts they are of."""

    name: str
    false_match: Sequence[float]
    false_non_match: Sequence[float]


_RATES = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
"""Labelled rates of the error trade-off, from end to end of both axes."""

_SAME = 0.01
"""Normal deviates that lie on one pixel."""

SMALL_MARKS = 1_000
"""Concepts that a small multiple marks at most: more would be a blot at its size."""

WIDE = Size(800, 420)
NARROW = Size(264, 300, narrow=True)


def draw_curve(facts: Facts, size: Size = WIDE) -> str:
    """The imitation curve as SVG; an empty curve gives an empty frame."""
    return to_svg(curve_specification(facts, size))


def curve_specification(facts: Facts, size: Size = WIDE) -> dict[str, Any]:
    """The imitation curve as a Vega-Lite specification with its data inside."""
    axis = frequency_axis(_frequencies(facts.drawn))
    named = lane_rows(named_frequencies(facts.verdict, facts.published, size.narrow), axis)
    low, high = score_range(facts)
    data = {
        "lanes": named,
        "bands": [row for row in named if row["kind"] in {"change", "transition"}],
        "rulers": [row for row in named if row["at"] is not None],
        "levels": level_rows(facts.verdict),
        "points": point_rows(facts.marked, axis),
        "lines": line_rows(facts.verdict, axis),
        **base_axis(axis),
    }
    values = {
        **axis_values(axis, skip_threes=size.narrow),
        "yLow": low,
        "yHigh": high,
        "verdicts": list(verdict_tally(facts.drawn)),
        "pointSize": 26 if size.narrow or len(facts.marked) > 400 else 46,
    }
    return filled(_sized(specification("curve.vl.json"), size, bool(named)), data, values)


def _sized(spec: Row, size: Size, has_lanes: bool) -> Row:
    lanes, plot = spec["vconcat"]
    lanes["width"], plot["width"], plot["height"] = size.width, size.width, size.height
    if size.narrow:
        plot["encoding"]["x"]["axis"]["title"] = "Training images (estimated)"
    if not has_lanes:
        spec["vconcat"] = [plot]
    return spec


def draw_control(control: ControlFact | None, facts: Facts) -> str:
    """A control as a small multiple on the axes of the estimate; None draws the estimate itself."""
    points, verdict = (facts.drawn, facts.verdict) if control is None else (control.points, control.verdict)
    every = [*facts.drawn, *(point for other in facts.controls for point in other.points)]
    axis = frequency_axis(_frequencies(every))
    low, high = score_range(facts)
    data = {
        "points": point_rows(spread(points, SMALL_MARKS), axis),
        "lines": line_rows(verdict, axis, with_isotonic=False),
        **base_axis(axis),
    }
    values = {**axis_values(axis, skip_threes=True, labelled_only=True), "yLow": low, "yHigh": high}
    return to_svg(filled(specification("control.vl.json"), data, values))


def draw_trade_off(curves: Sequence[ErrorCurve], marked: Mapping[str, tuple[float, float]]) -> str:
    """The detection error trade-off as SVG: the curve of all concepts, thin ones of groups, marked cuts.

    Args:
        curves: The curves; the first is the one of all concepts.
        marked: Label -> (false matches, false non-matches), in [0, 1].
    """
    lines = [
        {"group": curve.name, "all": place == 0, "order": order, "x": x, "y": y}
        for place, curve in enumerate(curves)
        for order, (x, y) in enumerate(_corners(curve))
    ]
    points = [{"label": label, "x": _deviate(x), "y": _deviate(y)} for label, (x, y) in marked.items()]
    values = {
        "low": _deviate(_RATES[0]),
        "high": _deviate(_RATES[-1]),
        "ticks": [_deviate(rate) for rate in _RATES],
        "tickLabels": [f"{100 * rate:g} %" for rate in _RATES],
    }
    return to_svg(filled(specification("det.vl.json"), {"lines": lines, "points": points}, values))


def _corners(curve: ErrorCurve) -> Iterator[tuple[float, float]]:
    """The curve's points on the axes, without those that no eye could tell from the one before."""
    last: tuple[float, float] | None = None
    for rates in zip(curve.false_match, curve.false_non_match, strict=True):
        x, y = (_deviate(rate) for rate in rates)
        if last is None or max(abs(x - last[0]), abs(y - last[1])) > _SAME:
            last = x, y
            yield last


def _deviate(rate: float) -> float:
    """The normal deviate of a rate, inside the ends of the axis: normal scores give a straight line."""
    return NormalDist().inv_cdf(min(max(rate, _RATES[0]), _RATES[-1]))


def score_range(facts: Facts) -> tuple[float, float]:
    """Ends of the score axis: all scores of the estimate and its controls, with a little room."""
    every = [*facts.drawn, *(point for control in facts.controls for point in control.points)]
    scores = [point.score for point in every if point.score is not None]
    scores += [level for level in (facts.verdict.baseline, facts.verdict.ceiling) if level is not None]
    if not scores:
        return 0.0, 1.0
    room = 0.06 * (max(scores) - min(scores)) or 0.1
    return min(scores) - room, max(scores) + room


def _frequencies(points: Iterable[CurvePoint]) -> list[float]:
    return [point.frequency for point in points if point.frequency is not None]


def specification(name: str) -> dict[str, Any]:
    """A chart specification of the charts' folder, without data."""
    text = files("fit.report").joinpath("charts", name).read_text(encoding="utf-8")
    spec: dict[str, Any] = json.loads(text)
    return spec


def filled(spec: dict[str, Any], data: Mapping[str, list[Row]], values: Mapping[str, Any]) -> dict[str, Any]:
    """The specification with its data and the values of its parameters inside."""
    spec["datasets"] = dict(data)
    for parameter in spec["params"]:
        parameter["value"] = values.get(parameter["name"], parameter["value"])
    return spec


def to_svg(spec: Mapping[str, Any]) -> str:
    """A whole specification rendered to SVG, without any network."""
    import vl_convert  # it starts a JavaScript engine

    svg: str = vl_convert.vegalite_to_svg(dict(spec), vl_version=VEGA_LITE, allowed_base_urls=[])
    return svg


def to_png(spec: Mapping[str, Any]) -> bytes:
    """A whole specification rendered to PNG on light paper, at twice its size, without any network."""
    import vl_convert

    on_paper = {**spec, "background": palette.light("paper")}
    png: bytes = vl_convert.vegalite_to_png(on_paper, vl_version=VEGA_LITE, scale=2, allowed_base_urls=[])
    return png
