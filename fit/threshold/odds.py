"""How much better a step accounts for the scores than a transition of half a decade or more does.

The best step always looks good: there are as many steps as gaps, and the best one follows the noise. Averaged
over its possible places a step has to pay for that freedom, and so has a logistic over its midpoints and
widths (integrated likelihood, Kass & Raftery 1995). The prior is flat in the rank of the place, because a
change of a thousand images at either end of the data cannot be told from none, and in the logarithm of the
width.
"""

from typing import Final

import numpy as np
from scipy.special import logsumexp

from fit.threshold.curve import Floats
from fit.threshold.family import NARROW, Family, gains, logistics, steps, total_squares
from fit.threshold.sample import Sample

_MIDDLES: Final = 80
_WIDTHS: Final = tuple(NARROW * 4.0 ** (i / 4) for i in range(5))


def step_odds(sample: Sample) -> float:
    """Logarithm of the odds of a step against a transition of 0.5 to 2 decades, both equally likely before.

    Args:
        sample: at least one step must leave five concepts on either side.

    Returns:
        The natural logarithm: 0 when the scores do not tell, above 0 when they speak for a step.
    """
    sharp = steps(sample)
    middle = np.linspace(sample.x[0], sample.x[-1], _MIDDLES)
    wide = logistics(sample, np.tile(middle, len(_WIDTHS)), np.repeat(np.array(_WIDTHS), _MIDDLES))
    if len(wide) == 0:
        return 0.0
    ranks = np.cumsum(sample.count) / sample.score.size
    density = np.maximum(np.gradient(np.interp(middle, sample.x, ranks), middle), 0.0)
    prior = np.interp(wide.low, middle, density) + 1e-9
    return _average(sharp, np.ones(len(sharp)), sample) - _average(wide, prior, sample)


def _average(family: Family, prior: Floats, sample: Sample) -> float:
    """Logarithm of the likelihood averaged over a family, the other parameters of each at their best."""
    explained = np.minimum(gains(family, sample) / max(total_squares(sample), 1e-300), 1.0 - 1e-12)
    log_likelihood = -sample.score.size / 2.0 * np.log1p(-explained)
    return float(logsumexp(log_likelihood, b=prior / prior.sum()))
