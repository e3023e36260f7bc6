"""The second, absolute definition: the frequency at which the imitation rate passes one half."""

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit
from scipy.stats import t as student

from fit.threshold.curve import Floats, ImitationCurve

Span = tuple[float, float]


@dataclass(frozen=True)
class RateThreshold:
    """Where half of the generated images pass the scorer's same-concept cut.

    Attributes:
        frequency: images, or None where the rate does not pass one half within the data.
        interval: its interval, images, clipped to the range of the data; None where `frequency` is None.
        censored: `below` when the rate is above one half everywhere, `above` when it is below it everywhere.
        dispersion: variance over that of independent images, >= 1; images of one concept are not independent.
    """

    frequency: float | None
    interval: tuple[float, float] | None
    censored: Literal["below", "above"] | None
    dispersion: float


def rate_threshold(curve: ImitationCurve, level: float) -> RateThreshold | None:
    """Fit a quasi-binomial logistic regression of the passing share on x = log10(1 + frequency).

    The interval is Fieller's, with Student's t for the estimated dispersion (statsmodels GLM, Pearson scale).

    Args:
        curve: with `images` and `passed`.
        level: confidence level in (0, 1).

    Returns:
        None without these columns, with fewer than three judged concepts, or when the rate does not rise.
    """
    if curve.images is None or curve.passed is None:
        return None
    judged = curve.images > 0
    if np.unique(curve.x[judged]).size < 3:
        return None
    x, images, passed = curve.x[judged], curve.images[judged], curve.passed[judged]
    if passed.sum() in (0.0, images.sum()):
        side: Literal["below", "above"] = "above" if passed.sum() == 0 else "below"
        return RateThreshold(frequency=None, interval=None, censored=side, dispersion=1.0)
    fit = _regression(x, images, passed)
    if fit is None:
        return _separated(x, passed / images)
    return _solve(x, *fit, level)


def expected_rate(curve: ImitationCurve, frequency: float, level: float) -> tuple[float, Span] | None:
    """Imitation rate of the average concept at a frequency, by the same regression as `rate_threshold`.

    Args:
        curve: with `images` and `passed`.
        frequency: images, >= 0.
        level: confidence level in (0, 1).

    Returns:
        The rate and its interval (Wald on the logits, Student's t for the dispersion), in [0, 1]; None
        without these columns, with fewer than three judged frequencies, or where the data do not determine
        the curve.
    """
    if curve.images is None or curve.passed is None:
        return None
    judged = curve.images > 0
    x, images, passed = curve.x[judged], curve.images[judged], curve.passed[judged]
    if np.unique(x).size < 3 or passed.sum() in (0.0, images.sum()):
        return None
    fit = _regression(x, images, passed)
    if fit is None:
        return None
    at = np.array([1.0, np.log10(1.0 + frequency)])
    reach = float(student.ppf((1 + level) / 2, x.size - 2)) * float(np.sqrt(at @ fit[1] @ at))
    middle = float(at @ fit[0])
    value, low, high = (float(each) for each in expit([middle, middle - reach, middle + reach]))
    return value, (low, high)


def _regression(x: Floats, images: Floats, passed: Floats) -> tuple[Floats, Floats, float] | None:
    """Coefficients (2,), covariance (2, 2), dispersion; None when the data are separated."""
    import statsmodels.api as sm  # heavy, and only some curves need it
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    outcome = np.column_stack([passed, images - passed])
    model = sm.GLM(outcome, np.column_stack([np.ones_like(x), x]), family=sm.families.Binomial())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", PerfectSeparationWarning)
        try:
            found = model.fit(maxiter=50)
        except PerfectSeparationWarning:
            return None
    slope = float(found.params[1])
    if not np.all(np.isfinite(found.params)) or not found.converged or abs(slope) * np.ptp(x) > 200:
        return None
    dispersion = max(1.0, float(found.pearson_chi2) / (x.size - 2))
    return np.asarray(found.params), np.asarray(found.cov_params()) * dispersion, dispersion


def _solve(x: Floats, params: Floats, cov: Floats, dispersion: float, level: float) -> RateThreshold | None:
    intercept, slope = float(params[0]), float(params[1])
    t = float(student.ppf((1 + level) / 2, x.size - 2))
    if slope <= 0 or slope**2 <= t**2 * cov[1, 1]:
        return None
    # Fieller: all x with (a + b x)^2 <= t^2 Var(a + b x).
    square = slope**2 - t**2 * cov[1, 1]
    linear = intercept * slope - t**2 * cov[0, 1]
    constant = intercept**2 - t**2 * cov[0, 0]
    root = float(np.sqrt(max(linear**2 - square * constant, 0.0)))
    middle = -intercept / slope
    if not x[0] <= middle <= x[-1]:
        side: Literal["below", "above"] = "below" if middle < x[0] else "above"
        return RateThreshold(frequency=None, interval=None, censored=side, dispersion=dispersion)
    low, high = np.clip([(-linear - root) / square, (-linear + root) / square], x[0], x[-1])
    interval = (_images(float(low)), _images(float(high)))
    return RateThreshold(frequency=_images(middle), interval=interval, censored=None, dispersion=dispersion)


def _separated(x: Floats, rate: Floats) -> RateThreshold | None:
    """All rates below one half lie left of all above it: the change lies between the two neighbours."""
    low, high = float(x[rate < 0.5].max(initial=x[0])), float(x[rate >= 0.5].min(initial=x[-1]))
    if low > high:
        return None
    interval = (_images(low), _images(high))
    return RateThreshold(_images((low + high) / 2), interval, censored=None, dispersion=1.0)


def _images(x: float) -> float:
    return max(0.0, float(f"{10.0**x - 1.0:.9g}"))
