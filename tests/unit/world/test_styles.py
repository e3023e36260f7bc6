"""The style space: a distance, artists spread over it, other styles that keep away from them."""

from __future__ import annotations

import numpy as np
import pytest

from fit.world.looks import spread
from fit.world.matter import other_styles
from fit.world.styles import (
    COORDINATES,
    PALETTES,
    Styles,
    distances,
    random_styles,
)


def style(palette: int = 0, **coordinates: float) -> Styles:
    point = [coordinates.get(name, 0.5) for name in COORDINATES]
    return Styles(np.array([point], dtype=np.float32), np.array([palette]))


def test_random_styles_fill_the_space() -> None:
    styles = random_styles(4000, np.random.default_rng(1))
    assert styles.points.shape == (4000, 13)
    assert styles.points.min() >= 0
    assert styles.points.max() <= 1
    assert set(styles.palettes) == set(range(len(PALETTES)))
    # Uniform coordinates: 4000 draws miss the mean of 1/2 by less than 5 x 0.289 / sqrt(4000) = 0.023.
    assert np.abs(styles.points.mean(axis=0) - 0.5).max() < 0.023


def test_distances_are_symmetric_and_zero_to_oneself() -> None:
    styles = random_styles(30, np.random.default_rng(2))
    among = distances(styles, styles)
    assert np.allclose(among, among.T, atol=1e-4)
    assert np.diag(among).max() < 2e-3  # the root of a rounding error
    assert among[~np.eye(30, dtype=bool)].min() > 0.1


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        # Full contrast weighs strokes by 1, none by 1/2 (and is itself a difference).
        (style(scale=0.2), style(scale=0.6), 0.4),
        (style(contrast=1.0, wavelength=0.0), style(contrast=1.0, wavelength=0.8), 0.8),
        (style(contrast=0.0, wavelength=0.0), style(contrast=0.0, wavelength=0.8), 0.4),
        # Angles on a circle of radius 1/2: opposite ends are its diameter apart, a quarter turn sqrt(1/2).
        (style(contrast=1.0, angle=0.0), style(contrast=1.0, angle=0.5), 1.0),
        (style(contrast=1.0, angle=0.0), style(contrast=1.0, angle=0.25), 0.5**0.5),
        (style(palette=0), style(palette=3), 0.5),
        (style(palette=0, scale=0.2), style(palette=1, scale=0.6), (0.4**2 + 0.5**2) ** 0.5),
    ],
)
def test_distances_by_hand(a: Styles, b: Styles, expected: float) -> None:
    assert distances(a, b)[0, 0] == pytest.approx(expected, abs=1e-3)


def test_the_angle_is_circular() -> None:
    start, end = style(contrast=1.0, angle=0.01), style(contrast=1.0, angle=0.99)
    # 0.02 of a turn on a circle of radius 1/2: a chord of sin(0.02 pi).
    assert distances(start, end)[0, 0] == pytest.approx(np.sin(0.02 * np.pi), abs=1e-3)


def test_artists_are_spread() -> None:
    rng = np.random.default_rng(3)
    candidates = random_styles(600, rng)
    chosen = spread(20, candidates, distances)
    assert len(chosen) == 20
    among = distances(chosen, chosen) + 9 * np.eye(20, dtype=np.float32)
    # What maximin is for: no 20 at random keep the distance that the chosen ones keep.
    for _ in range(20):
        some = candidates.take(rng.choice(600, 20, replace=False))
        assert (distances(some, some) + 9 * np.eye(20)).min() < among.min()


def test_each_is_the_farthest_from_those_before() -> None:
    candidates = random_styles(100, np.random.default_rng(4))
    chosen = spread(6, candidates, distances)
    for taken in range(1, 6):
        to_taken = distances(candidates, chosen.take(np.arange(taken))).min(axis=1)
        newest = distances(chosen.take(np.array([taken])), chosen.take(np.arange(taken))).min()
        assert newest == pytest.approx(to_taken.max(), abs=1e-4)


def test_other_styles_keep_their_margin() -> None:
    rng = np.random.default_rng(5)
    artists = spread(20, random_styles(300, rng), distances)
    others = other_styles(50, artists, 0.7, rng)
    assert len(others) == 50
    assert distances(others, artists).min() >= 0.7


def test_too_wide_a_margin_is_refused() -> None:
    rng = np.random.default_rng(6)
    with pytest.raises(ValueError, match="only 0 of 50 looks keep a margin of 9"):
        other_styles(50, random_styles(10, rng), 9, rng)
