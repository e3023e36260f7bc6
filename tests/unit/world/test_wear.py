"""Blur and noise at random."""

from __future__ import annotations

import numpy as np
import torch

from fit.world.wear import worn


def test_no_wear_changes_nothing() -> None:
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(worn(images, np.random.default_rng(1), 0.0, 0.0), images)


def test_blur_keeps_the_mean_and_lowers_a_peak() -> None:
    images = torch.zeros(50, 1, 9, 9)
    images[:, :, 4, 4] = 9
    found = worn(images, np.random.default_rng(2), 0.9, 0.0)
    # A 3 x 3 mean spreads the peak of 9 to nine pixels of 1: it is 9 - 8 s for a share s in [0, 0.9].
    assert torch.allclose(found.sum((1, 2, 3)), torch.tensor(9.0), atol=1e-4)
    peaks = found[:, 0, 4, 4]
    assert 9 - 8 * 0.9 <= float(peaks.min()) < 3.5
    assert 7 < float(peaks.max()) <= 9


def test_each_picture_gets_noise_of_its_own_strength() -> None:
    found = worn(torch.zeros(200, 1, 16, 16), np.random.default_rng(3), 0.0, 0.2)
    spread = found.std((1, 2, 3))
    assert float(spread.max()) < 0.25
    assert float(spread.min()) < 0.02
    assert abs(float(spread.mean()) - 0.1) < 0.02  # uniform in [0, 0.2]
