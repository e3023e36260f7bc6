"""Planted runs side by side."""

from __future__ import annotations

from dataclasses import replace

from fit.report.compared import Between, Comparison, changes
from fit.report.sides import Side
from fit.report.verdict import read_verdict
from tests.unit.report.planted import curve, fitted, found


def moved(points, factor):
    """The same artists with their frequencies multiplied; every tenth one is judged unclear."""
    return tuple(
        replace(
            point,
            frequency=(point.frequency or 0) * factor,
            frequency_low=None,
            frequency_high=None,
            verdict="unclear" if number % 10 == 0 else point.verdict,
        )
        for number, point in enumerate(points)
    )


def side(letter, label, factor=1.0, shape="gradual"):
    fits = {name: [(f * factor, s) for f, s in line] for name, line in fitted().items()}
    interval = None if shape == "none" else [38.4 * factor, 60.1 * factor]
    told = {"fits": fits, "interval": interval, "threshold": 47.2 * factor if interval else None}
    return Side(
        letter,
        label,
        f"runs/{letter}",
        read_verdict(found(shape, **told)),
        moved(curve(), factor) if factor != 1 else curve(),
        "fit 0.1.0, seed 0",
    )


def comparison(*labels: str, shape="gradual") -> Comparison:
    """Two runs, or three with a label more: the second takes four times the images."""
    sides = tuple(
        side(chr(65 + n), label, 4.0**n, shape if n == len(labels) - 1 else "gradual")
        for n, label in enumerate(labels)
    )
    between = (
        Between("A", "B", 3.92, (2.4, 6.3), None, 0.001)
        if shape != "none"
        else Between("A", "B", None, None, "not every run has a threshold", 0.001)
    )
    sentence = (
        f"The rise is not at the same place in {', '.join(labels)} (p = 0.001)."
        if shape != "none"
        else f"{labels[-1]}: not shown to rise, unlike the others; that they differ is shown (p = 0.01)."
    )
    return Comparison(sides, sentence, 0.95, (between,), changes(sides), len(curve()))
