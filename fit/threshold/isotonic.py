"""Isotonic regression: the best curve that never falls, for display beside the models."""

import numpy as np
from scipy.optimize import isotonic_regression

from fit.threshold.curve import Floats
from fit.threshold.sample import Sample


def fit_isotonic(sample: Sample) -> Floats:
    """Weighted least-squares curve that never falls, at the cells of a sample. Shape (K,)."""
    weight = sample.cell_weight
    means = sample.per_cell(sample.weight * sample.score) / weight
    return np.asarray(isotonic_regression(means, weights=weight).x, dtype=np.float64)
