"""Do groups of concepts, or models, differ in where the rise is? One test for all of them, then pairs.

Every curve keeps its own baseline and its own rise; what is tested is whether one place and width of the rise
fit all curves. The statistic is the share of the residual squares that the curves save when each may have its
own place. Its null distribution comes from replicates: the common fit of each curve plus noise drawn like its
own (standardised residuals of concepts, scaled to the spread around their place; Efron & Tibshirani 1993), to
which everything is fitted again. Curves of the same concepts, two models for instance, draw the noise of a
concept together, so what makes a concept easy for both is not taken for independent evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from fit.threshold.curve import Floats, ImitationCurve, too_little
from fit.threshold.estimate import estimate
from fit.threshold.family import WIDTH_PER_SCALE
from fit.threshold.sample import Sample, pool
from fit.threshold.scatter import local_spread
from fit.threshold.verdict import Threshold, Verdict

_MIDDLES: Final = 60
_WIDTHS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
_SHARP: Final = 1e-6
_MOST_GAPS: Final = 600
_PARAMETERS: Final = 7.0
"""What a freely chosen curve takes from the residuals: level, height, place and width, and what the best step
of many gains by following the noise. Chosen with `benchmarks/comparison.py`.
"""


@dataclass(frozen=True)
class Pair:
    """Two curves compared.

    Attributes:
        first: label of one.
        second: label of the other.
        p_value: of "the rise is at the same place", adjusted for the number of pairs (Holm 1979).
    """

    first: str
    second: str
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """Curves side by side.

    Attributes:
        verdicts: verdict on each curve by its label, in the order given.
        left_out: labels that could not be judged, with why.
        p_value: of "the rise is at the same place in all"; None with fewer than two curves.
        pairs: every two of them; empty with two curves, where the test above says it all.
        paired: whether the curves are of the same concepts, whose noise was drawn together.
        level: confidence level.
    """

    verdicts: Mapping[str, Verdict]
    left_out: Mapping[str, str]
    p_value: float | None
    pairs: tuple[Pair, ...]
    paired: bool
    level: float

    @property
    def differ(self) -> bool:
        """Whether the places are shown to differ."""
        return self.p_value is not None and self.p_value <= 1.0 - self.level + 1e-12

    @property
    def sentence(self) -> str:
        """What was found, in a sentence."""
        if self.p_value is None:
            return "Fewer than two curves could be judged, so nothing was compared."
        names = ", ".join(self.verdicts)
        chance = f"p = {self.p_value:.2g}"
        placeless = [name for name, verdict in self.verdicts.items() if not _rises(verdict)]
        if len(placeless) == len(self.verdicts):
            return f"None of {names} is shown to rise, so there is no place of the rise to compare."
        if placeless:
            return (
                f"{', '.join(placeless)}: not shown to rise, unlike the other curves; that the curves differ "
                f"{'is' if self.differ else 'is not'} shown ({chance})."
            )
        if not self.differ:
            return f"That the rise is at different places in {names} is not shown ({chance})."
        apart = [f"{pair.first} and {pair.second}" for pair in self.pairs if pair.p_value <= 1.0 - self.level]
        which = f": {'; '.join(apart)}" if apart else ""
        return f"The rise is not at the same place in {names} ({chance}){which}."


def _rises(verdict: Verdict) -> bool:
    return isinstance(verdict, Threshold) or verdict.reason == "no plateau"


def compare_groups(
    curve: ImitationCurve, *, level: float = 0.95, replicates: int = 1000, seed: int = 0
) -> Comparison | None:
    """Compare the groups of a curve.

    Args:
        curve: groups with fewer than ten concepts or one distinct frequency are left out and named.
        level: confidence level in [0.5, 0.999].
        replicates: random draws, at least 100.
        seed: of the draws.

    Returns:
        None for a curve without groups or with one group only.
    """
    if curve.group is None or len(set(curve.group)) < 2:
        return None
    labels = np.array(curve.group)
    return compare_curves(
        {name: take(curve, labels == name) for name in sorted(set(curve.group))},
        level=level,
        replicates=replicates,
        seed=seed,
    )


def compare_curves(
    curves: Mapping[str, ImitationCurve], *, level: float = 0.95, replicates: int = 1000, seed: int = 0
) -> Comparison:
    """Compare curves, such as those of several models.

    Args:
        curves: by label. Where all are of exactly the same concepts, they are compared concept by concept.
        level: confidence level in [0.5, 0.999].
        replicates: random draws, at least 100.
        seed: of the draws.
    """
    left_out = {name: why for name, each in curves.items() if (why := too_little(each)) is not None}
    kept = {name: each for name, each in curves.items() if name not in left_out}
    verdicts = {
        name: estimate(each, level=level, replicates=max(100, replicates), seed=seed)
        for name, each in kept.items()
    }
    arms = [_Arm.of(each) for each in kept.values()]
    paired = len(arms) > 1 and len({frozenset(each.concepts) for each in kept.values()}) == 1
    p_value = _same_place(arms, paired, replicates, seed) if len(arms) > 1 else None
    pairs: tuple[Pair, ...] = ()
    if len(arms) > 2:
        names = list(kept)
        found = [
            (names[i], names[j], _same_place([arms[i], arms[j]], paired, replicates, seed))
            for i, j in combinations(range(len(arms)), 2)
        ]
        adjusted = holm([p for _, _, p in found])
        pairs = tuple(Pair(a, b, p) for (a, b, _), p in zip(found, adjusted, strict=True))
    return Comparison(verdicts, left_out, p_value, pairs, paired, level)


def place_test(
    curves: Sequence[ImitationCurve], *, paired: bool = False, replicates: int = 1000, seed: int = 0
) -> float:
    """P-value of "one place and width of the rise fits all curves".

    Args:
        curves: at least two.
        paired: they are of the same concepts, whose noise is drawn together.
        replicates: random draws, at least 100; the p-value is at least 1 / (replicates + 1).
        seed: of the draws.
    """
    return _same_place([_Arm.of(curve) for curve in curves], paired, replicates, seed)


def to_json(comparison: Comparison) -> dict[str, Any]:
    """The field `groups` of `fit threshold --json`: verdicts by group, the test, what was left out."""
    return {
        "curves": {name: _short(verdict) for name, verdict in comparison.verdicts.items()},
        "left_out": dict(comparison.left_out),
        "p_value": comparison.p_value,
        "differ": comparison.differ,
        "pairs": [{"first": p.first, "second": p.second, "p_value": p.p_value} for p in comparison.pairs],
        "paired": comparison.paired,
        "sentence": comparison.sentence,
    }


def take(curve: ImitationCurve, chosen: NDArray[np.bool_]) -> ImitationCurve:
    """The concepts of a curve for which `chosen`, shape (n,), is true."""
    places = np.flatnonzero(chosen)
    columns: dict[str, Any] = {"concept": [curve.concepts[i] for i in places]}
    for name in ("frequency", "score", "frequency_low", "frequency_high", "score_se", "images", "passed"):
        values = getattr(curve, name)
        columns[name] = None if values is None else values[places]
    return ImitationCurve.from_columns(columns)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number (Holm 1979), in the order given; at most 1."""
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


@dataclass(frozen=True, eq=False)
class _Arm:
    """One curve: its sample, its concepts in the sample's order, and a grid over the range of its data."""

    sample: Sample
    concepts: tuple[str, ...]

    @classmethod
    def of(cls, curve: ImitationCurve) -> "_Arm":
        return cls(pool(curve), curve.concepts)

    def heights(self, basis: Floats) -> Floats:
        """Fitted amount of each member. Shape (E,)."""
        amounts: Floats = basis @ self.sample.per_cell(self.sample.weight * self.sample.score)
        return amounts

    def basis(self, middle: Floats, width: Floats) -> Floats:
        """Logistics on the cells, weighted mean 0 and sum of squares 1; 0 where one does not rise here."""
        scale = (width / WIDTH_PER_SCALE)[:, None]
        blur = np.sqrt(1.0 + np.pi / 8.0 * (self.sample.x_sd[None, :] / scale) ** 2)
        rising = expit((self.sample.x[None, :] - middle[:, None]) / (scale * blur))
        weight = self.sample.cell_weight
        centred = rising - (rising @ weight)[:, None] / weight.sum()
        norm = np.sqrt((centred**2) @ weight)
        usual = 1e-6 * np.sqrt(weight.sum())
        basis: Floats = np.where(norm[:, None] > usual, centred / np.maximum(norm, usual)[:, None], 0.0)
        return basis


def _same_place(arms: Sequence[_Arm], paired: bool, replicates: int, seed: int) -> float:
    middle, width = _grid(arms)
    bases = [arm.basis(middle, width) for arm in arms]
    heights = np.stack([arm.heights(basis) for arm, basis in zip(arms, bases, strict=True)])
    residuals = [
        _residual(arm.sample, basis, height) for arm, basis, height in zip(arms, bases, heights, strict=True)
    ]
    squares = [float(np.mean(arm.sample.weight * each**2)) for arm, each in zip(arms, residuals, strict=True)]
    scale = np.maximum(np.array(squares), 1e-12)
    common = int(np.argmax(_gains(heights[:, :, None], scale).sum(axis=0)[:, 0]))
    noise = _noise(arms, residuals, paired, replicates, seed)
    drawn = []
    for arm, basis, height, draws in zip(arms, bases, heights, noise, strict=True):
        shift = max(float(height[common]), 0.0) * (basis @ (arm.sample.cell_weight * basis[common]))
        drawn.append(basis @ draws + shift[:, None])
    observed, null = float(_saved(heights[:, :, None], scale)[0]), _saved(np.stack(drawn), scale)
    return float((1.0 + np.count_nonzero(null >= observed * (1 - 1e-6))) / (replicates + 1.0))


def _gains(heights: Floats, scale: Floats) -> Floats:
    """Squares that each member explains, in units of each curve's noise. Shape (C, E, R)."""
    gains: Floats = np.maximum(heights, 0.0) ** 2 / scale[:, None, None]
    return gains


def _saved(heights: Floats, scale: Floats) -> Floats:
    """What own places explain beyond the best common one. Shape (C, E, R) to (R,)."""
    gains = _gains(heights, scale)
    saved: Floats = gains.max(axis=1).sum(axis=0) - gains.sum(axis=0).max(axis=0)
    return saved


def _grid(arms: Sequence[_Arm]) -> tuple[Floats, Floats]:
    """Midpoints and widths: a step in every gap of all data together, and logistics over their range."""
    x = np.unique(np.concatenate([arm.sample.x for arm in arms]))
    gaps = (x[1:] + x[:-1]) / 2.0
    gaps = gaps[np.unique(np.linspace(0, gaps.size - 1, min(gaps.size, _MOST_GAPS)).astype(np.intp))]
    middles = np.linspace(x[0], x[-1], _MIDDLES + 2)[1:-1]
    width = np.repeat(np.array(_WIDTHS), _MIDDLES)
    return np.concatenate([gaps, np.tile(middles, len(_WIDTHS))]), np.append(
        np.full(gaps.size, _SHARP), width
    )


def _residual(sample: Sample, basis: Floats, height: Floats) -> Floats:
    """Scores about the curve's own best member, scaled up for its parameters. Shape (n,)."""
    own = int(np.argmax(height))
    mean, n = float(np.average(sample.score, weights=sample.weight)), sample.score.size
    fitted = mean + max(float(height[own]), 0.0) * sample.spread(basis[own])
    scaled: Floats = (sample.score - fitted) * np.sqrt(n / max(n - _PARAMETERS, 1.0))
    return scaled


def _noise(
    arms: Sequence[_Arm], residuals: Sequence[Floats], paired: bool, replicates: int, seed: int
) -> list[Floats]:
    """Weighted noise summed within cells, one (K, R) per curve; that of the same concepts drawn together."""
    rng = np.random.default_rng([seed, 3])
    order = {name: i for i, name in enumerate(sorted(arms[0].concepts))}
    together = rng.integers(0, len(order), size=(len(order), replicates)) if paired else None
    drawn = []
    for arm, residual in zip(arms, residuals, strict=True):
        root = np.sqrt(arm.sample.weight)
        spread = local_spread(residual * root)
        unit = np.where(spread > 0, residual * root / np.where(spread > 0, spread, 1.0), 0.0)
        unit = unit - unit.mean()
        unit /= max(float(np.sqrt(np.mean(unit**2))), 1e-12)
        if together is None:
            picked = unit[rng.integers(0, unit.size, size=(unit.size, replicates))]
        else:
            # The residual of concept `together[j]` goes to concept j, in every curve alike.
            place = np.array([order[name] for name in arm.concepts])
            by_name = np.empty(len(order))
            by_name[place] = unit
            picked = by_name[together[place]]
        drawn.append(arm.sample.per_cell((root * spread)[:, None] * picked))
    return drawn


def _short(verdict: Verdict) -> dict[str, Any]:
    found = verdict.found
    told: dict[str, Any] = {
        "status": "none",
        "reason": None,
        "shape": verdict.shape,
        "threshold": None,
        "interval": None,
        "safe_below": found.safe_below,
        "p_value": found.p_value,
        "n_concepts": found.n_concepts,
    }
    if isinstance(verdict, Threshold):
        interval = None if verdict.interval is None else list(verdict.interval)
        return told | {"status": "threshold", "threshold": verdict.frequency, "interval": interval}
    return told | {"reason": verdict.reason}
