from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from fit.imitation.calibration import Cut
from fit.imitation.hit_rate import Checked, Frequency, estimate_frequency, pooled_sensitivity

MANY = 10**9  # references, so many that nothing is left to chance
PERFECT = Cut(0.5, MANY, MANY, 0, MANY)
PERFECT_PRIOR = (1e9, 1.0)


def perfectly(captions: int, checked: int, passed: int) -> Frequency:
    rng = np.random.default_rng(1)
    return estimate_frequency(Checked(captions, checked, passed), PERFECT, PERFECT_PRIOR, 0.95, rng)


def ends(found: Frequency) -> tuple[float, float]:
    """The interval of a frequency that has one."""
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


def test_no_caption_is_no_image() -> None:
    assert perfectly(0, 0, 0) == Frequency(None, None, None, 0.0, 0.0, 0.0)


def test_no_checked_image_leaves_everything_open() -> None:
    assert perfectly(40, 0, 0) == Frequency(None, None, None, None, 0.0, 40.0)


@pytest.mark.parametrize("passed", [0, 1, 37, 100])
def test_a_perfect_verifier_that_checked_all_counts(passed: int) -> None:
    found = perfectly(100, 100, passed)
    assert found.images == pytest.approx(passed, abs=1e-4)
    assert found.hit_rate == pytest.approx(passed / 100, abs=1e-6)
    low, high = ends(found)
    # Ends are whole images, outward of a billionth of an image.
    assert passed - 1 <= low <= passed <= high <= passed + 1


def test_a_verifier_that_is_taken_not_to_err_just_counts() -> None:
    # The published estimate: hits x captions / images looked at = 37 x 300 / 100.
    rng = np.random.default_rng(1)
    found = estimate_frequency(Checked(300, 100, 37), None, (1.0, 1.0), 0.95, rng)
    assert (found.hit_rate, found.images) == (0.37, pytest.approx(111))
    whole = estimate_frequency(Checked(100, 100, 37), None, (1.0, 1.0), 0.95, rng)
    assert (whole.images, whole.low, whole.high) == (37, 37, 37)


def test_what_was_not_checked_widens_the_interval() -> None:
    # 50 of 100 checked show it; of the 900 others binomially as many: sd of the rate 0.05, so of the count
    # sqrt(900 * 0.25 + (900 * 0.05)^2) = 47.4: 500 -+ 1.96 * 47.4 = [407, 593].
    found = perfectly(1000, 100, 50)
    assert found.images == pytest.approx(500, abs=1e-3)
    assert found.low == pytest.approx(407, abs=6)
    assert found.high == pytest.approx(593, abs=6)


def test_the_verifiers_errors_are_undone() -> None:
    # It passes 80 % of the true and 5 % of the others. 110 of 200 passed: (110 - 200 * 0.05) / 0.75 = 133.3
    # are true; check: 0.8 * 133.3 + 0.05 * 66.7 = 110. Of 3,000 captions: 2,000.
    cut = Cut(0.5, MANY * 8 // 10, MANY, MANY // 20, MANY)
    rng = np.random.default_rng(1)
    found = estimate_frequency(Checked(3000, 200, 110), cut, (0.8, 0.2), 0.95, rng)
    assert found.hit_rate == pytest.approx(2 / 3, abs=1e-4)
    assert found.images == pytest.approx(2000, abs=0.1)


@pytest.mark.parametrize("passed", [0, 200])
def test_corrections_stay_inside_what_there_is(passed: int) -> None:
    # Fewer pass than false matches alone, or more than the sensitivity lets: none and all, not -13 and 253.
    cut = Cut(0.5, 80, 100, 5000, 100_000)
    found = estimate_frequency(Checked(200, 200, passed), cut, (8, 2), 0.95, np.random.default_rng(1))
    assert found.images == passed
    low, high = ends(found)
    assert 0 <= low <= passed <= high <= 200


def test_a_useless_verifier_says_so_by_its_interval() -> None:
    # It passes strangers as often as the concept: any share of true images is possible.
    cut = Cut(0.5, 50, 100, 500, 1000)
    found = estimate_frequency(Checked(100, 100, 50), cut, (5, 5), 0.95, np.random.default_rng(1))
    assert (found.low, found.high) == (0, 100)


def test_hit_rate_and_frequency_have_the_same_interval() -> None:
    cut = Cut(0.5, 18, 20, 30, 3000)
    found = estimate_frequency(Checked(500, 90, 61), cut, (18, 2), 0.95, np.random.default_rng(1))
    assert found.images is not None
    assert found.hit_rate == pytest.approx(found.images / 500)
    low, high = ends(found)
    assert found.hit_rate_low == pytest.approx(low / 500)
    assert found.hit_rate_high == pytest.approx(high / 500)


def test_a_higher_level_gives_a_wider_interval() -> None:
    cut = Cut(0.5, 18, 20, 30, 3000)
    narrow, wide = (
        ends(estimate_frequency(Checked(500, 90, 61), cut, (18, 2), level, np.random.default_rng(1)))
        for level in (0.5, 0.99)
    )
    assert wide[0] < narrow[0]
    assert narrow[1] < wide[1]


def test_the_same_random_numbers_give_the_same_estimate() -> None:
    cut = Cut(0.5, 18, 20, 30, 3000)
    first, again, other = (
        estimate_frequency(Checked(500, 90, 61), cut, (18, 2), 0.95, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first.images == other.images  # the estimate itself leaves nothing to chance
    assert (first.low, first.high) != (other.low, other.high)


def test_prior_of_alike_concepts_is_strong_and_of_different_ones_weak() -> None:
    alike = [Cut(0.5, 18, 20, 0, 100)] * 50
    different = [Cut(0.5, passed, 20, 0, 100) for passed in [20] * 40 + [10] * 10]
    (a, b), (c, d) = pooled_sensitivity(alike), pooled_sensitivity(different)
    # Both average 0.9: (40 * 1 + 10 * 0.5) / 50.
    assert a / (a + b) == pytest.approx(0.9)
    assert c / (c + d) == pytest.approx(0.9)
    # The chance of 20 references: 0.09 / 20 = 0.0045, whose standard error over 50 concepts is 0.0045 *
    # sqrt(2 / 49) = 0.00091. Different: variance 0.04 - 0.0045 + 0.0009 = 0.0364; 0.09 / 0.0364 - 1 = 1.5,
    # raised to the least, 2. Alike: no variance, so 0.09 / 0.00091 - 1 = 98.
    assert c + d == pytest.approx(2)
    assert a + b == pytest.approx(98, abs=0.1)


def test_few_concepts_do_not_pass_for_alike() -> None:
    few, many = (sum(pooled_sensitivity([Cut(0.5, 18, 20, 0, 100)] * n)) for n in (5, 500))
    # 0.09 / (0.0045 * sqrt(2 / 4)) - 1 = 27.3; 0.09 / (0.0045 * sqrt(2 / 499)) - 1 = 314.9.
    assert few == pytest.approx(27.3, abs=0.1)
    assert many == pytest.approx(314.9, abs=0.1)


@dataclass
class Tally:
    """How estimates compare with a planted truth."""

    covered: list[bool]
    errors: list[float]
    raw_errors: list[float]


def one_world(sensitivity: float, false_matches: float, unchecked: bool, rng: np.random.Generator) -> Tally:
    """Twenty-four concepts with a known number of true images, whose sensitivities differ (sd 0.03)."""
    strength = sensitivity * (1 - sensitivity) / 0.03**2 - 1
    own = rng.beta(sensitivity * strength, (1 - sensitivity) * strength, 24)
    cuts = [Cut(0.5, int(rng.binomial(20, s)), 20, int(rng.binomial(480, false_matches)), 480) for s in own]
    prior = pooled_sensitivity(cuts)
    tally = Tally([], [], [])
    chance = np.random.default_rng(rng.integers(2**63))  # of the estimates: the worlds do not depend on them
    for i, cut in enumerate(cuts):
        share = (0.1, 0.4, 0.7, 0.95)[i % 4]
        captions, checked = (2000, 200) if unchecked else (150, 150)
        true = int(rng.binomial(captions, share))
        seen = int(rng.hypergeometric(true, captions - true, checked))
        passed = int(rng.binomial(seen, own[i]) + rng.binomial(checked - seen, false_matches))
        found = estimate_frequency(Checked(captions, checked, passed), cut, prior, 0.95, chance)
        low, high = ends(found)
        assert found.images is not None
        tally.covered.append(low <= true <= high)
        tally.errors.append(abs(found.images - true) / captions)
        tally.raw_errors.append(abs(passed / checked * captions - true) / captions)
    return tally


@pytest.mark.parametrize("unchecked", [False, True])
def test_the_interval_covers_and_the_correction_helps(unchecked: bool) -> None:
    rng = np.random.default_rng(11)
    worlds = [
        one_world(sensitivity, false_matches, unchecked, rng)
        for sensitivity in (0.97, 0.85)
        for false_matches in (0.01, 0.05)
        for _ in range(8)
    ]
    # 768 estimates; at 95 % the share's own standard deviation is 0.008.
    assert np.mean([each for world in worlds for each in world.covered]) >= 0.93
    error = np.mean([each for world in worlds for each in world.errors])
    assert error < 0.8 * np.mean([each for world in worlds for each in world.raw_errors])


# Links that were lost, and not at random.


def test_lost_links_widen_the_interval_both_ways_and_leave_the_estimate() -> None:
    rng = np.random.default_rng(1)
    found = Checked(1000, 600, 300, lost=400)
    at_random, doubled, anything = (
        estimate_frequency(found, PERFECT, PERFECT_PRIOR, 0.95, rng, odds) for odds in (1, 2, 1e9)
    )
    assert at_random.images == doubled.images == anything.images == pytest.approx(500, abs=1e-3)
    # Of 400 lost images half show it, 1/3, or 2/3 (odds 1, 1/2, 2): 300 + 200 = 500, 300 + 133, 300 + 267;
    # the chance of 400 draws, and of the rate itself (sd 0.0204): sqrt(400 / 4 + (400 * 0.0204)^2) = 12.9.
    assert ends(at_random) == pytest.approx((500 - 25, 500 + 25), abs=4)
    assert ends(doubled) == pytest.approx((433 - 24, 567 + 24), abs=4)
    # Nothing assumed: none of the lost, or all of them.
    assert ends(anything) == pytest.approx((300, 700), abs=1)


def test_links_of_images_that_were_not_sampled_are_lost_as_often() -> None:
    # 100 of 1,000 sampled, half of them lost: of the other 900 about 450 as well. Half show it: 500; with
    # odds up to 4, the about 500 lost hold a fifth to four fifths: 250 + 100 = 350 to 250 + 400 = 650, and
    # chance.
    rng = np.random.default_rng(1)
    found = estimate_frequency(Checked(1000, 50, 25, lost=50), PERFECT, PERFECT_PRIOR, 0.95, rng, 4)
    low, high = ends(found)
    assert 150 < low < 350
    assert 650 < high < 850


def test_no_lost_link_is_no_doubt_about_them() -> None:
    one, other = (
        estimate_frequency(
            Checked(500, 500, 300), PERFECT, PERFECT_PRIOR, 0.95, np.random.default_rng(1), odds
        )
        for odds in (1, 5)
    )
    assert ends(one) == ends(other)


def lossy(odds: float, assumed: float, rng: np.random.Generator) -> list[bool]:
    """Whether intervals cover, where lost images show the concept at other odds than those that are there."""
    covered = []
    for i in range(150):
        share, loss = (0.2, 0.5, 0.8)[i % 3], (0.1, 0.3, 0.5)[i % 5 % 3]
        there, gone = 2000 - int(2000 * loss), int(2000 * loss)
        true_there = int(rng.binomial(there, share))
        ratio = odds * share / (1 - share)
        true_gone = int(rng.binomial(gone, ratio / (1 + ratio)))
        lost = int(rng.hypergeometric(gone, there, 400))
        seen = int(rng.hypergeometric(true_there, there - true_there, 400 - lost))
        found = estimate_frequency(
            Checked(2000, 400 - lost, seen, lost), PERFECT, PERFECT_PRIOR, 0.95, rng, assumed
        )
        low, high = ends(found)
        covered.append(low <= true_there + true_gone <= high)
    return covered


@pytest.mark.parametrize("odds", [0.5, 0.7, 1.0, 1.5, 2.0])
def test_the_interval_covers_whatever_the_lost_links_held_up_to_the_odds(odds: float) -> None:
    # 150 estimates; at 95 % the share's own standard deviation is 0.018.
    assert np.mean(lossy(odds, 2.0, np.random.default_rng(3))) >= 0.92


def test_taking_links_to_be_lost_at_random_does_not_cover() -> None:
    assert np.mean(lossy(2.0, 1.0, np.random.default_rng(3))) < 0.8
    assert np.mean(lossy(1.0, 1.0, np.random.default_rng(3))) >= 0.92
