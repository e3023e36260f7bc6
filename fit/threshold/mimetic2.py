"""The published method: penalised least-squares segmentation of the ordered scores, first change point.

Verma et al. 2024 (arXiv:2410.15002) run `ruptures.Pelt(model="l2", min_size=1, jump=1).predict(pen=0.9)`.
This is the same optimal partitioning (Killick, Fearnhead & Eckley 2012) with prefix sums, a few hundred times
faster.
"""

from typing import Final

import numpy as np

from fit.threshold.curve import Floats, ImitationCurve

PENALTY: Final = 0.9
"""Penalty per change point, in squared scores, as published."""


def change_points(score: Floats, penalty: float = PENALTY) -> list[int]:
    """Optimal change points of a piecewise constant mean.

    Args:
        score: scores in order. Shape (n,), n >= 1.
        penalty: squared scores that a further change point has to save.

    Returns:
        Ascending indices, each the first of a new segment, ending with n, as ruptures returns them.
    """
    n = score.size
    centred = score - score.mean()
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))
    best = np.zeros(n + 1)
    previous = np.zeros(n + 1, dtype=np.intp)
    starts = np.zeros(1, dtype=np.intp)
    for end in range(1, n + 1):
        cost = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (end - starts)
        total = best[starts] + np.maximum(cost, 0.0) + penalty
        winner = int(np.argmin(total))
        best[end], previous[end] = total[winner], starts[winner]
        # A start that is worse by a whole penalty now can never win again.
        starts = np.append(starts[total <= best[end] + penalty], end)
    points = [n]
    while previous[points[-1]] > 0:
        points.append(int(previous[points[-1]]))
    return points[::-1]


def published_threshold(curve: ImitationCurve) -> tuple[float, float, float] | None:
    """Frequency of the first concept after the first change point, and the means of the segments around it.

    Concepts of equal frequency are ordered by name; the published code leaves their order open. As published,
    the change is not checked to be upwards.

    Returns:
        (threshold in images, mean score before, mean score after), or None without a change point.
    """
    points = change_points(curve.score)
    if len(points) == 1:
        return None
    before, after = curve.score[: points[0]], curve.score[points[0] : points[1]]
    return float(curve.frequency[points[0]]), float(before.mean()), float(after.mean())
