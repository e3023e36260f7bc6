"""Small curves for the tests of the estimator."""

from collections.abc import Sequence

from fit.threshold import ImitationCurve


def curve(frequency: Sequence[float], score: Sequence[float], **columns: Sequence[float]) -> ImitationCurve:
    names = [f"c{i:04d}" for i in range(len(frequency))]
    return ImitationCurve.from_columns({"concept": names, "frequency": frequency, "score": score, **columns})
