"""What the charts draw, as plain rows: points, named frequencies, levels, fitted lines, axes."""

from collections.abc import Iterable
from typing import Any

from fit.report import flags
from fit.report.axis import FrequencyAxis, Tick
from fit.report.inputs import CurvePoint
from fit.report.names import shown
from fit.report.numbers import images, level, of_images, score, span
from fit.report.tallies import VERDICTS
from fit.report.verdict import Bounds, Fit, Verdict

Row = dict[str, Any]
Named = tuple[str, float | None, Bounds | None, str]


def point_rows(points: Iterable[CurvePoint], axis: FrequencyAxis) -> list[Row]:
    """Points as chart rows, those of frequency zero spread over their strip."""
    rows: list[Row] = []
    zeros = 0
    for point in points:
        if point.frequency is None or point.score is None:
            continue
        zero = point.frequency == 0
        zeros += zero
        ends = None if zero else (point.frequency_low, point.frequency_high)
        rows.append(
            {
                "x": axis.spread(zeros) if zero else axis.place(point.frequency),
                "low": max(axis.place(ends[0]), axis.left) if ends and ends[0] is not None else None,
                "high": axis.place(ends[1]) if ends and ends[1] is not None else None,
                "score": point.score,
                "verdict": VERDICTS[point.verdict],
                "label": _point_label(point),
            }
        )
    return rows


def _point_label(point: CurvePoint) -> str:
    about = of_images(point.frequency or 0.0)
    interval = span(point.frequency_low, point.frequency_high)
    if interval:
        about += f" ({interval})"
    told = f"{shown(point.concept, 60)}: {about}, score {score(point.score or 0.0)}"
    flagged = f" ({flags.told(point.flags)})" if point.flags else ""
    return f"{told}, {VERDICTS[point.verdict]}{flagged}"


def named_frequencies(verdict: Verdict, published: Verdict | None, narrow: bool) -> list[Named]:
    """Frequencies that have a name: kind, frequency, bounds, label, in the order of the rows above the plot.

    Args:
        verdict: the estimate.
        published: the published method's, if it was run.
        narrow: whether the labels have to be short.
    """
    named: list[Named] = []
    if verdict.status == "threshold" and verdict.threshold is not None:
        label = f"{_change_words(verdict)}: {images(verdict.threshold)}"
        ends = span(*verdict.interval) if verdict.interval else None
        if ends and not narrow:
            label += f" ({level(verdict.level)} interval {ends})"
        named.append(("change", verdict.threshold, verdict.interval, label))
    if verdict.transition is not None and verdict.shape != "step":
        words = "10–90 %" if narrow else "10–90 % of the rise"
        named.append(("transition", None, verdict.transition, f"{words}: {span(*verdict.transition)}"))
    if verdict.safe_below is not None:
        limit = verdict.safe_below
        named.append(("safe", limit, (None, limit), f"safe below: {images(limit)}"))
    if published is not None and published.threshold is not None and verdict.method != "mimetic2":
        label = f"published method: {images(published.threshold)}"
        named.append(("published", published.threshold, None, label))
    return named


def _change_words(verdict: Verdict) -> str:
    if verdict.method == "mimetic2":
        return "published method"
    return "threshold" if verdict.shape == "step" else "half of the rise"


def lane_rows(named: list[Named], axis: FrequencyAxis) -> list[Row]:
    """The rows above the plot: a bar, a mark and a label each, the label on the side with more room."""
    return [{**_lane(*row, axis), "lane": index} for index, row in enumerate(named)]


def _lane(kind: str, at: float | None, ends: Bounds | None, label: str, axis: FrequencyAxis) -> Row:
    low, high = ends or (at, at)
    start = axis.start if low is None else axis.place(low)
    stop = axis.right if high is None else axis.place(high)
    side = "right" if axis.right - stop > start - axis.start else "left"
    return {
        "kind": kind,
        "at": None if at is None else axis.place(at),
        "low": start,
        "high": stop,
        "label": label,
        "side": side,
        "labelAt": stop if side == "right" else start,
    }


def level_rows(verdict: Verdict) -> list[Row]:
    """Horizontal levels with their labels: ceiling and baseline, or the mean where no rise was shown."""
    named = [("ceiling", verdict.ceiling), ("baseline" if verdict.rises else "mean", verdict.baseline)]
    return [{"value": value, "label": [name, score(value)]} for name, value in named if value is not None]


def line_rows(verdict: Verdict, axis: FrequencyAxis, with_isotonic: bool = True) -> list[Row]:
    """Fitted curves: their logarithmic part, and their value at zero as a short line in its strip."""
    sources = [("fit", _fit(verdict, axis))]
    if with_isotonic and verdict.rises:
        sources.append(("isotonic", verdict.fit("isotonic")))
    rows: list[Row] = []
    for name, source in sources:
        if source is None:
            continue
        rows += [
            {"series": name, "part": name, "x": axis.place(frequency), "y": value}
            for frequency, value in source.within(10**axis.left, 10**axis.right)
        ]
        if axis.zero is not None and source.line[0][0] == 0:
            y = source.line[0][1]
            ends = (axis.zero - axis.half_strip, axis.zero + axis.half_strip)
            rows += [{"series": name, "part": f"{name} at zero", "x": x, "y": y} for x in ends]
    return rows


def _fit(verdict: Verdict, axis: FrequencyAxis) -> Fit | None:
    """The curve that goes with the verdict: step, logistic, or the mean score where no rise was shown."""
    if verdict.rises:
        by_step = verdict.shape == "step" or verdict.method == "mimetic2"
        return verdict.fit("step" if by_step else "logistic")
    if verdict.baseline is None:
        return None
    return Fit("mean", ((0.0, verdict.baseline), (2 * 10**axis.right, verdict.baseline)))


def base_axis(axis: FrequencyAxis) -> dict[str, list[Row]]:
    """The axis line with its break: zero is not on the logarithmic scale, and the drawing says so."""
    parts = [{"from": axis.left, "to": axis.right}]
    if axis.zero is None or axis.gap is None:
        return {"baseAxis": parts, "breaks": []}
    parts.append({"from": axis.zero - axis.half_strip, "to": axis.zero + axis.half_strip})
    return {"baseAxis": parts, "breaks": [{"at": axis.gap}]}


def axis_values(axis: FrequencyAxis, skip_threes: bool = False, labelled_only: bool = False) -> Row:
    """Ends and ticks of the frequency axis as chart parameters, with fewer ticks where there is less room."""
    ticks = [
        Tick(tick.at, "" if skip_threes and tick.label.lstrip("0.").startswith("3") else tick.label)
        for tick in axis.ticks()
    ]
    ticks = [tick for tick in ticks if tick.label or not labelled_only]
    return {
        "xStart": axis.start,
        "xLeft": axis.left,
        "xEnd": axis.right,
        "ticks": [tick.at for tick in ticks],
        "tickLabels": [tick.label for tick in ticks],
    }
