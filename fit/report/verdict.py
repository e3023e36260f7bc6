"""The contract's threshold object, read once into typed fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any

from fit.report.names import shown
from fit.report.numbers import finite

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted curve: ``(frequency in images, mean score)`` along increasing frequency."""

    name: str
    line: tuple[tuple[float, float], ...]

    def within(self, low: float, high: float) -> tuple[tuple[float, float], ...]:
        """The curve between two frequencies > 0, completed at both by interpolation in log10(1 + f)."""
        inside = tuple(pair for pair in self.line if low < pair[0] < high)
        ends = tuple(
            (end, self._at(end)) for end in (low, high) if self.line[0][0] <= end <= self.line[-1][0]
        )
        return tuple(sorted((*inside, *ends)))

    def _at(self, frequency: float) -> float:
        after = next(i for i, pair in enumerate(self.line) if pair[0] >= frequency)
        (f0, y0), (f1, y1) = self.line[max(after - 1, 0)], self.line[after]
        if f1 == f0:
            return y0
        return y0 + (y1 - y0) * (log1p(frequency) - log1p(f0)) / (log1p(f1) - log1p(f0))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an estimator said. Frequencies in images; None is "does not apply".

    Attributes:
        status: ``threshold`` or ``none``.
        shape: ``step``, ``gradual``, ``undetermined`` or ``none``.
        reason: why there is no threshold, in a word of the contract; ``detail`` the same with figures.
        threshold: the change point of a step, else the frequency of half of the rise.
        interval: bounds at ``level``; covers any true change in (low, high]; None for an end that the
            data leave open.
        transition: frequencies of 10 % and of 90 % of the rise; for a step those around the change.
        safe_below: frequency below which the average concept is not imitated.
        censored: ``below``, ``above`` or ``both``: on which side of the data the threshold or a plateau lies.
        baseline, ceiling: score before and after the rise; without a rise the baseline is the mean score.
        rate_threshold: frequency at which half of the images pass, with ``rate_interval`` around it.
        smallest_detectable_rise: rise in score that would have been found in 80 % of such samples.
        fits: fitted curves by name.
    """

    status: str
    shape: str
    reason: str | None
    detail: str | None
    threshold: float | None
    interval: Bounds | None
    level: float
    transition: Bounds | None
    safe_below: float | None
    censored: str | None
    p_value: float | None
    baseline: float | None
    ceiling: float | None
    rate_threshold: float | None
    rate_interval: Bounds | None
    smallest_detectable_rise: float | None
    n_concepts: int
    method: str
    fits: tuple[Fit, ...]

    @property
    def rises(self) -> bool:
        """Whether a rise was shown. ``no plateau`` is a rise without a threshold."""
        return self.status == "threshold" or self.shape in {"step", "gradual", "undetermined"}

    @property
    def judged(self) -> bool:
        """Whether the data allowed a judgement at all."""
        return self.rises or not (self.reason or "").startswith(("too few", "one distinct", "one frequency"))

    def fit(self, name: str) -> Fit | None:
        """The fitted curve of that name, where the estimator handed it over."""
        return next((fit for fit in self.fits if fit.name == name), None)


def read_verdict(found: Mapping[str, Any]) -> Verdict:
    """Reads the object of ``fit threshold --json``; missing, null and NaN fields become None.

    Raises:
        ValueError: the object has no ``status`` of the contract.
    """
    status = found.get("status")
    if status not in {"threshold", "none"}:
        raise ValueError(f"threshold object: status is {status!r}, must be 'threshold' or 'none'")
    return Verdict(
        status=status,
        shape=str(found.get("shape") or "none"),
        reason=_text(found.get("reason")),
        detail=_text(found.get("detail")),
        threshold=_number(found.get("threshold")),
        interval=_open_ended(_bounds(found.get("interval")), found.get("interval_open")),
        level=_number(found.get("level")) or 0.95,
        transition=_bounds(found.get("transition")),
        safe_below=_number(found.get("safe_below")),
        censored=_text(found.get("censored")),
        p_value=_number(found.get("p_value")),
        baseline=_number(found.get("baseline")),
        ceiling=_number(found.get("ceiling")),
        rate_threshold=_rate(found.get("rate_threshold")),
        rate_interval=_rate_interval(found.get("rate_threshold")),
        smallest_detectable_rise=_number(found.get("smallest_detectable_rise")),
        n_concepts=int(found.get("n_concepts") or 0),
        method=str(found.get("method") or "step"),
        fits=_fits(found.get("fits")),
    )


def _fits(curves: Mapping[str, Sequence[Sequence[float]]] | None) -> tuple[Fit, ...]:
    lines = {name: tuple(sorted(_pairs(line))) for name, line in (curves or {}).items() if line}
    return tuple(Fit(name, line) for name, line in sorted(lines.items()) if len(line) >= 2)


def _pairs(line: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    pairs = [(_number(pair[0]), _number(pair[1])) for pair in line]
    return [(x, y) for x, y in pairs if x is not None and y is not None and x >= 0]


def _number(value: object) -> float | None:
    return finite(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return shown(str(value), 300) if value else None


def _bounds(value: object) -> Bounds | None:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        return None
    low, high = _number(value[0]), _number(value[1])
    return None if low is None and high is None else (low, high)


def _open_ended(bounds: Bounds | None, ends: object) -> Bounds | None:
    """An end at the edge of the data that bounds nothing is no bound."""
    if bounds is None or not isinstance(ends, Sequence) or len(ends) != 2:
        return bounds
    low, high = (None if end else bound for bound, end in zip(bounds, ends, strict=True))
    return None if low is None and high is None else (low, high)


def _rate(value: object) -> float | None:
    return _number(value.get("threshold")) if isinstance(value, Mapping) else _number(value)


def _rate_interval(value: object) -> Bounds | None:
    return _bounds(value.get("interval")) if isinstance(value, Mapping) else None
