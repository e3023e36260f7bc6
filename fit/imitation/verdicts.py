"""Is this one concept imitated? Its score against those that images of other concepts reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Array = npt.NDArray[np.float64]
ConceptVerdict = Literal["imitated", "not", "unclear"]
FEWEST = 20  # other concepts, below which no chance under 5 % can be told


@dataclass(frozen=True)
class Verdicts:
    """What the cross-concept null says of every concept.

    Attributes:
        baseline: Score that images of other concepts reach against this concept's references (median),
            shape (c,); NaN without another concept.
        p_values: Chance of so high a score without imitation, shape (c,), in (0, 1].
        verdicts: One per concept.
    """

    baseline: Array
    p_values: Array
    verdicts: tuple[ConceptVerdict, ...]


def judge_concepts(
    cross: Array, standard_errors: Array, false_discovery_rate: float, level: float = 0.95
) -> Verdicts:
    """Judge every concept by the cross-concept null.

    Some references are near everything, so each column of `cross` is first taken relative to its baseline;
    some images are nearer to everything, or more varied, than others, so each row is then taken in units of
    its own median and spread (median absolute deviation). A concept's p-value is the rank
    of its own score among all c (c - 1) others: among the c - 1 of its own row it could not fall below 1 / c,
    and with so coarse a value no concept would be called imitated unless 20 were. `imitated`: the
    false-discovery rate (Benjamini & Hochberg 1995) is held, and the score is beyond chance in its own row
    too; `not`: even its upper bound is within what chance gives in its row; else `unclear`.

    Args:
        cross: Scores of images of i (rows) against references of j (columns), shape (c, c).
        standard_errors: Of the diagonal, shape (c,), NaN where unknown.
        false_discovery_rate: Share of wrong among the concepts called imitated, in (0, 1).
        level: Of the upper bound and of the range of chance, in (0.5, 1).

    Returns:
        Baselines, p-values and verdicts; with fewer than 20 other concepts all are `unclear`.
    """
    c = len(cross)
    others = ~np.eye(c, dtype=bool)
    baseline = np.array([np.median(cross[others[:, j], j]) if c > 1 else np.nan for j in range(c)])
    lifted = cross - baseline[None, :]
    own = np.diag(lifted)
    null = lifted[others].reshape(c, c - 1)
    p = _p_values(cross, others)
    if c - 1 < FEWEST:
        return Verdicts(baseline, p, tuple("unclear" for _ in range(c)))
    chance = np.quantile(null, level, axis=1)
    imitated = _benjamini_hochberg(p, false_discovery_rate) & (own > chance)
    upper = own + ndtri(level) * np.nan_to_num(standard_errors, nan=np.inf)
    return Verdicts(
        baseline, p, tuple(_verdict(bool(a), bool(b)) for a, b in zip(imitated, upper <= chance, strict=True))
    )


def _p_values(cross: Array, others: npt.NDArray[np.bool_]) -> Array:
    """Return the rank of each diagonal score among all others, columns and rows brought to the same scale.

    Middle and spread are of whole columns and rows, the diagonal included: without imitation it is then
    treated just as the rest, and being robust they hardly notice it where there is imitation.
    """
    lifted = cross - np.median(cross, axis=0)
    lifted -= np.median(lifted, axis=1, keepdims=True)
    scaled = lifted / np.maximum(np.median(np.abs(lifted), axis=1, keepdims=True), 1e-12)
    pooled = np.sort(scaled[others])
    as_high = len(pooled) - np.searchsorted(pooled, np.diag(scaled), side="left")
    p: Array = (1 + as_high) / (1 + len(pooled))
    return p


def _verdict(imitated: bool, within_chance: bool) -> ConceptVerdict:
    if imitated:
        return "imitated"
    return "not" if within_chance else "unclear"


def _benjamini_hochberg(p: Array, rate: float) -> npt.NDArray[np.bool_]:
    order = np.argsort(p, kind="stable")
    passes = np.flatnonzero(p[order] <= rate * np.arange(1, len(p) + 1) / len(p))
    accepted = np.zeros(len(p), dtype=bool)
    if len(passes):
        accepted[p <= p[order][passes[-1]]] = True
    return accepted
