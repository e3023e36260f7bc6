"""The estimator: from concepts with frequency and score to a threshold, or a reason why there is none.

Numbers only: this package needs NumPy, SciPy, statsmodels and ruptures, and opens no file.
"""

from fit.threshold.curve import ImitationCurve, require_enough
from fit.threshold.estimate import estimate
from fit.threshold.planted import Noise, Planted, Truth, planted_curve
from fit.threshold.verdict import Findings, NoThreshold, Threshold, Verdict, to_json

__all__ = [
    "Findings",
    "ImitationCurve",
    "NoThreshold",
    "Noise",
    "Planted",
    "Threshold",
    "Truth",
    "Verdict",
    "estimate",
    "planted_curve",
    "require_enough",
    "to_json",
]
