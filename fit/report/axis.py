"""The frequency axis: logarithmic, with zero shown apart left of a break."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

_SMALLEST = 0.1
"""Estimated frequencies below this (images) are drawn here: more decades would show rounding, not data."""

_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick: its place on the axis and its label, empty for the small ticks between labels."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class FrequencyAxis:
    """Places of frequencies, in decades (log10 of images).

    Attributes:
        left, right: ends of the logarithmic part.
        zero: middle of the strip for frequency zero; None when no concept has frequency zero.
        half_strip: half the width of that strip.
    """

    left: float
    right: float
    zero: float | None
    half_strip: float

    @property
    def start(self) -> float:
        """Left end of the whole axis."""
        return self.left if self.zero is None else self.zero - 1.35 * self.half_strip

    @property
    def gap(self) -> float | None:
        """Middle of the break between zero and the logarithmic part."""
        return None if self.zero is None else (self.zero + self.half_strip + self.left) / 2

    def place(self, frequency: float) -> float:
        """Where a frequency >= 0 is drawn; beyond the ends it is drawn at the end."""
        if frequency <= 0:
            return self.left if self.zero is None else self.zero
        return min(max(math.log10(frequency), self.left), self.right)

    def spread(self, rank: int) -> float:
        """Where the rank-th concept of frequency zero is drawn within the strip.

        Steps by the golden ratio are even for any number of concepts and look like no trend.
        """
        return self.place(0.0) + self.half_strip * (2 * (rank * _GOLDEN % 1) - 1) * 0.85

    def ticks(self) -> tuple[Tick, ...]:
        """Ticks at 1–9 of each decade; 1 is labelled, and 3 too where there are few decades."""
        marks = [] if self.zero is None else [Tick(self.zero, "0")]
        labelled = {1, 3} if self.right - self.left < 3.6 else {1}
        for decade in range(math.floor(self.left), math.ceil(self.right) + 1):
            for digit in range(1, 10):
                at = math.log10(digit) + decade
                if self.left - 1e-9 <= at <= self.right + 1e-9:
                    marks.append(Tick(at, _label(digit, decade) if digit in labelled else ""))
        return tuple(marks)


def frequency_axis(frequencies: Iterable[float]) -> FrequencyAxis:
    """The axis that holds all these frequencies (images, >= 0)."""
    values = list(frequencies)
    positive = [value for value in values if value > 0] or [1.0, 10.0]
    left = math.log10(max(min(positive), _SMALLEST))
    right = max(math.log10(max(*positive, _SMALLEST)), left + 0.5)
    room = 0.03 * (right - left)
    left, right = left - room, right + room
    half = 0.035 * (right - left)
    has_zero = any(value <= 0 for value in values)
    return FrequencyAxis(left, right, left - 2.6 * half if has_zero else None, half)


def _label(digit: int, decade: int) -> str:
    value = digit * 10.0**decade
    if value >= 1_000_000:
        return f"{value / 1_000_000:,.0f}M"
    return f"{value:,.0f}" if value >= 1 else f"{value:.{-decade}f}"
