"""Plans: more concepts and less noise find more, and images go where the curve is steep."""

from __future__ import annotations

import numpy as np
import pytest

from fit.threshold import ImitationCurve
from fit.threshold.planning import ScoreNoise, next_images, pilot_noise, prospect


def pilot(between: float, image: float, images: int, n: int = 400, seed: int = 1) -> ImitationCurve:
    """A logistic rise of 0.4 around 100 images, with both kinds of noise."""
    rng = np.random.default_rng(seed)
    frequency = np.round(10 ** rng.uniform(0, 4, n))
    mean = 0.1 + 0.4 / (1 + np.exp(-3 * (np.log10(1 + frequency) - 2)))
    score = mean + rng.normal(0, between, n) + rng.normal(0, image / np.sqrt(images), n)
    columns = {
        "concept": [f"{i:03d}" for i in range(n)],
        "frequency": frequency,
        "score": np.clip(score, -1, 1),
        "score_se": [image / np.sqrt(images)] * n,
        "images": [images] * n,
        "passed": [0] * n,
    }
    return ImitationCurve.from_columns(columns)


def test_the_scatter_of_a_score_by_hand() -> None:
    # 0.06^2 + 0.4^2 / 25 = 0.0036 + 0.0064 = 0.01.
    assert ScoreNoise(0.06, 0.4, "").sd(25) == pytest.approx(0.1)


def test_noise_is_read_off_a_pilot() -> None:
    noise = pilot_noise(pilot(0.08, 0.4, 25), "pilot")
    assert noise.image == pytest.approx(0.4)
    assert noise.between == pytest.approx(0.08, abs=0.012)


def test_without_standard_errors_all_scatter_is_between_concepts() -> None:
    whole = pilot(0.08, 0.0, 25)
    plain = ImitationCurve.from_columns(
        {"concept": whole.concepts, "frequency": whole.frequency, "score": whole.score}
    )
    noise = pilot_noise(plain, "pilot")
    assert noise.image == 0
    assert noise.between == pytest.approx(0.08, abs=0.01)


def test_power_grows_with_the_rise_and_the_interval_shrinks() -> None:
    small, large = (prospect(rise, 60, 0.1) for rise in (0.05, 0.3))
    assert small.power < 0.5
    assert large.power > 0.99
    assert small.width is not None
    assert large.width is not None
    assert large.width < small.width
    assert large.factor == pytest.approx(10**large.width)


def test_what_is_hardly_ever_found_has_no_width() -> None:
    assert prospect(0.001, 30, 0.3) == prospect(0.001, 30, 0.3)
    assert prospect(0.001, 30, 0.3).width is None


def test_images_go_where_the_curve_is_steep_and_measuring_is_what_scatters() -> None:
    spending = next_images(pilot(0.02, 1.0, 10), 2000)
    assert spending is not None
    assert sum(number for _, number in spending.concepts) == 2000
    low, high = spending.between
    # Steep between 10 % and 90 %: log10 of the frequency 2 -+ ln(9) / 3 = 2 -+ 0.73, 19 to 540 images.
    assert 10 <= low <= high <= 1000
    assert spending.by_images < spending.evenly < 1


def test_where_concepts_scatter_new_ones_do_better() -> None:
    spending = next_images(pilot(0.15, 0.05, 100), 2000)
    assert spending is not None
    assert spending.by_concepts < spending.by_images
    assert "would do better" in spending.sentence


def test_without_standard_errors_nothing_can_be_told() -> None:
    whole = pilot(0.1, 0.1, 10)
    plain = ImitationCurve.from_columns(
        {"concept": whole.concepts, "frequency": whole.frequency, "score": whole.score}
    )
    assert next_images(plain, 100) is None
