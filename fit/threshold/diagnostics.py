"""Does the curve keep the assumptions A1-A4 of the method, and what moves the answer?

Each function looks at one thing, takes numbers, and returns them with a sentence that says what they mean.
None of them changes a verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import chi2, norm, rankdata

from fit.threshold.comparison import holm, take
from fit.threshold.curve import Floats, ImitationCurve, too_little
from fit.threshold.estimate import estimate
from fit.threshold.family import heights, rising_family
from fit.threshold.mimetic2 import PENALTY, change_points
from fit.threshold.sample import pool
from fit.threshold.verdict import Threshold

PENALTIES: Final = (0.3, 0.6, PENALTY, 1.5, 3.0)
"""Penalties for which the published method is shown, in squared scores."""

_PERMUTATIONS: Final = 2000


@dataclass(frozen=True)
class Diagnostic:
    """One thing that was looked at.

    Attributes:
        name: short name, such as `A1`.
        sentence: what was found and what it means.
        p_value: of "the assumption holds", None where nothing was tested.
        numbers: the figures in the sentence, by name.
        named: concepts, groups or variants with their figure, those that matter most first.
    """

    name: str
    sentence: str
    p_value: float | None = None
    numbers: Mapping[str, float] | None = None
    named: tuple[tuple[str, float], ...] = ()


def equally_hard(curve: ImitationCurve) -> Diagnostic:
    """A1: do concepts of like frequency have like scores, but for what measuring them adds?

    Disjoint pairs of neighbours in frequency are compared by their *absolute* differences; signed ones, as
    the published method takes them, cancel. With standard errors e the sum of d^2 / (e1^2 + e2^2) over m
    pairs is chi-squared with m degrees of freedom where only measuring makes them differ.
    """
    first, second = curve.score[:-1:2], curve.score[1::2]
    difference = np.abs(first[: second.size] - second)
    typical = float(difference.mean())
    if curve.score_se is None:
        text = (
            f"Concepts of like frequency differ by {typical:.2f} in score on average; how much of it is "
            "noise of "
            "measuring is not known, because no standard errors were given."
        )
        return Diagnostic("A1", text, numbers={"difference": typical})
    variance = curve.score_se[:-1:2][: second.size] ** 2 + curve.score_se[1::2] ** 2
    known = variance > 0
    if not bool(known.any()):
        return Diagnostic("A1", f"Concepts of like frequency differ by {typical:.2f} in score on average.")
    with np.errstate(over="ignore"):  # a standard error near 0 makes the sum infinite, and the p-value 0
        p_value = float(chi2.sf(np.sum(difference[known] ** 2 / variance[known]), int(known.sum())))
    expected = float(np.sqrt(2.0 / np.pi * variance).mean())
    between = float(np.sqrt(max(0.0, float(np.mean(difference**2 - variance)) / 2.0)))
    numbers = {"difference": typical, "by measuring alone": expected, "sd between concepts": between}
    text = (
        f"Concepts of like frequency differ by {typical:.2f} in score on average, where measuring alone "
        "would make "
        f"{expected:.2f}"
    )
    if p_value > 0.05:
        return Diagnostic("A1", f"{text}: that they are equally hard is not refuted.", p_value, numbers)
    return Diagnostic(
        "A1",
        f"{text}: they are not equally hard (standard deviation {between:.2f} between concepts). A curve of "
        "averages "
        "says little about a single concept.",
        p_value,
        numbers,
    )


def confounders(curve: ImitationCurve, given: Mapping[str, Mapping[str, float]], seed: int = 0) -> Diagnostic:
    """A2: does anything else go with both frequency and score?

    For each variable the Spearman correlation with what the frequency leaves unexplained of the score (the
    best rising curve is taken off), tested by permutation, adjusted for their number (Holm 1979), and beside
    it the correlation with the frequency. Only a variable that goes with both can feign a rise.

    Args:
        curve: the concepts.
        given: variable -> concept -> value; concepts without a value are left out of its test.
        seed: of the permutations.
    """
    unexplained = _residual(curve)
    rows: list[tuple[str, float, float, float]] = []
    for name, values in sorted(given.items()):
        has = np.array([concept in values for concept in curve.concepts])
        variable = np.array([values.get(concept, 0.0) for concept in curve.concepts])[has]
        if has.sum() < 10 or np.ptp(variable) == 0:
            continue
        with_score, p_value = _rank_correlation(variable, unexplained[has], seed)
        rows.append((name, with_score, _spearman(variable, curve.frequency[has]), p_value))
    if not rows:
        return Diagnostic("A2", "No variable was given that could drive both frequency and score.")
    adjusted = holm([p for *_, p in rows])
    both = [
        f"{name} (correlation {score:+.2f} with the unexplained score, {frequency:+.2f} with the frequency)"
        for (name, score, frequency, _), p in zip(rows, adjusted, strict=True)
        if p <= 0.05
    ]
    names = ", ".join(name for name, *_ in rows)
    text = (
        f"What the frequency leaves unexplained goes with {'; '.join(both)}: part of the rise may be due to "
        "it."
        if both
        else f"What the frequency leaves unexplained of the score goes with none of: {names}."
    )
    named = tuple((name, score) for name, score, *_ in rows)
    return Diagnostic("A2", text, min(adjusted), named=named)


def copies(curve: ImitationCurve, distinct: Mapping[str, float], seed: int = 0) -> Diagnostic:
    """A3: does it matter whether repeated copies of an image count again?

    Args:
        curve: with frequencies that count every copy.
        distinct: concept -> number of distinct images, >= 0.
        seed: of the estimate.
    """
    has = np.array([concept in distinct for concept in curve.concepts])
    known = take(curve, has)
    if too_little(known) is not None:
        return Diagnostic("A3", "Distinct images were not counted, so whether copies matter is not known.")
    counts = np.array([distinct[concept] for concept in known.concepts])
    share = float(counts.sum() / max(known.frequency.sum(), 1e-12))
    other = ImitationCurve.from_columns(
        {"concept": known.concepts, "frequency": counts, "score": known.score}
    )
    if too_little(other) is not None:
        return Diagnostic(
            "A3", "The distinct counts are all the same, so whether copies matter is not known."
        )
    found, with_copies = _place(other, seed), _place(known, seed)
    text = (
        f"{share:.0%} of the images are distinct. Counted once each, {_told(found)}; with copies, "
        f"{_told(with_copies)}."
    )
    return Diagnostic("A3", text, numbers={"distinct share": share})


def unnamed(frequency: Mapping[str, float], unnamed_images: Mapping[str, float]) -> Diagnostic:
    """A4: how many images show a concept without naming it?

    Args:
        frequency: concept -> images whose caption names it.
        unnamed_images: concept -> images found without its name, by embeddings for instance.
    """
    both = sorted(frequency.keys() & unnamed_images.keys())
    if not both:
        text = "Images that show a concept without naming it were not looked for; frequencies may be too low."
        return Diagnostic("A4", text)
    named = np.array([frequency[each] for each in both])
    missed = np.array([unnamed_images[each] for each in both])
    share = missed / np.maximum(named + missed, 1e-12)
    middle = float(np.median(share))
    trend = _spearman(named, share)
    worst = tuple((both[i], float(share[i])) for i in np.argsort(-share, kind="stable")[:5])
    text = (
        f"Captions miss {middle:.0%} of the images of the median concept, {float(share.max()):.0%} of the "
        "worst "
        f"({worst[0][0]}); the share goes with the frequency by a rank correlation of {trend:+.2f}."
    )
    return Diagnostic("A4", text, numbers={"median share": middle, "trend": trend}, named=worst)


def outliers(curve: ImitationCurve, share: float = 0.05) -> Diagnostic:
    """Which concepts lie far above or below the curve?

    Residuals in robust standard deviations (median absolute deviation), named where their chance in a normal
    sample, adjusted for the number of concepts (Holm 1979), is below `share`.
    """
    residual = _residual(curve)
    residual = residual - np.median(residual)
    spread = 1.4826 * float(np.median(np.abs(residual)))
    if spread <= 0:
        return Diagnostic("outliers", "Scores lie on the curve; there is nothing to stand out from.")
    z = residual / spread
    adjusted = np.array(holm([float(p) for p in 2.0 * norm.sf(np.abs(z))]))
    far = [i for i in np.argsort(-np.abs(z), kind="stable") if adjusted[i] <= share]
    named = tuple((curve.concepts[i], float(z[i])) for i in far)
    above = [name for name, value in named if value > 0]
    below = [name for name, value in named if value < 0]
    if not named:
        return Diagnostic("outliers", "No concept stands out from the curve.")
    parts = [
        f"{len(names)} far {side} it ({', '.join(names[:3])}{' ...' if len(names) > 3 else ''})"
        for side, names in (("above", above), ("below", below))
        if names
    ]
    return Diagnostic(
        "outliers", f"Concepts that stand out from the curve: {' and '.join(parts)}.", named=named
    )


def leave_one_group_out(curve: ImitationCurve, seed: int = 0) -> Diagnostic | None:
    """What becomes of the answer without one group? None for a curve of fewer than two groups."""
    if curve.group is None or len(set(curve.group)) < 2:
        return None
    labels = np.array(curve.group)
    kept = {name: take(curve, labels != name) for name in sorted(set(curve.group))}
    return alternatives("groups", {f"without {name}": each for name, each in kept.items()}, seed)


def alternatives(name: str, curves: Mapping[str, ImitationCurve], seed: int = 0) -> Diagnostic:
    """What becomes of the answer with other prompts, embedders or concepts?

    Args:
        name: what is varied.
        curves: variants by label; one that cannot be judged is passed over.
        seed: of the estimates.
    """
    places = {label: _place(curve, seed) for label, curve in curves.items() if too_little(curve) is None}
    found = {label: place for label, place in places.items() if place is not None}
    without = [label for label, place in places.items() if place is None]
    named = tuple(sorted(found.items(), key=lambda each: each[1]))
    if not places:
        return Diagnostic(name, f"No variant of the {name} could be judged.")
    if not found:
        return Diagnostic(name, f"None of {len(places)} variants of the {name} gives a threshold.")
    low, high = named[0], named[-1]
    if len(named) == 1:
        text = (
            f"Of {len(places)} variants of the {name} one gives a threshold, {low[0]}: {low[1]:.3g} images."
        )
        return Diagnostic(name, text, named=named)
    text = (
        f"Over {len(places)} variants of the {name} half of the rise lies between {low[1]:.3g} ({low[0]}) "
        "and "
        f"{high[1]:.3g} images ({high[0]})"
    )
    missing = f"; {len(without)} give no threshold" if without else ""
    return Diagnostic(name, f"{text}{missing}.", named=named)


def penalties(curve: ImitationCurve, choices: Sequence[float] = PENALTIES) -> Diagnostic:
    """How much does the published method depend on its penalty?"""
    rows: list[tuple[str, float]] = []
    for penalty in choices:
        points = change_points(curve.score, penalty)
        if len(points) > 1:
            rows.append((f"{penalty:g}", float(curve.frequency[points[0]])))
    told = ", ".join(f"{value:g} (penalty {penalty})" for penalty, value in rows)
    none = len(choices) - len(rows)
    text = (
        f"The published method puts its change, in images, at {told}"
        if rows
        else "The published method finds no change"
    )
    rest = f"; at {none} of {len(choices)} penalties it finds none" if rows and none else ""
    return Diagnostic("penalty", f"{text}{rest}.", named=tuple(rows))


def _place(curve: ImitationCurve, seed: int) -> float | None:
    verdict = estimate(curve, replicates=500, seed=seed)
    return verdict.frequency if isinstance(verdict, Threshold) else None


def _told(place: float | None) -> str:
    return "no threshold is found" if place is None else f"half of the rise is at {place:.3g} images"


def _residual(curve: ImitationCurve) -> Floats:
    """Scores about the best rising curve, about their mean where none rises. Shape (n,)."""
    sample = pool(curve)
    family = rising_family(sample)
    flat: Floats = curve.score - float(np.average(curve.score, weights=sample.weight))
    if len(family) == 0:
        return flat
    height = heights(family, sample)
    best = int(np.argmax(height))
    residual = flat - max(float(height[best]), 0.0) * sample.spread(family.basis[best])
    residual[np.abs(residual) <= 1e-12 * np.abs(curve.score).max()] = 0.0  # rounding is no residual
    return residual


def _spearman(one: Floats, other: Floats) -> float:
    """Rank correlation; 0 where either is the same everywhere, so that nothing goes with anything."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def _rank_correlation(variable: Floats, values: Floats, seed: int) -> tuple[float, float]:
    """Spearman's correlation and its two-sided p-value by permutation."""
    found = _spearman(variable, values)
    if np.ptp(values) == 0:
        return found, 1.0
    ranks, others = rankdata(variable), rankdata(values)
    ranks, others = ranks - ranks.mean(), others - others.mean()
    rng = np.random.default_rng([seed, 4])
    scale = float(np.sqrt(np.sum(ranks**2) * np.sum(others**2)))
    drawn = np.array([ranks @ rng.permutation(others) for _ in range(_PERMUTATIONS)]) / scale
    extreme = np.count_nonzero(np.abs(drawn) >= abs(found) - 1e-12)
    return found, float((1 + extreme) / (1 + _PERMUTATIONS))
