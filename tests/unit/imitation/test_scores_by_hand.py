"""Scores, cuts, hit rates and seeds against hand arithmetic and brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from fit.generation.requests import image_seed, requests_for
from fit.imitation.calibration import Cut, calibrate, nearest
from fit.imitation.hit_rate import Checked, estimate_frequency, pooled_sensitivity
from fit.imitation.similarity import cross_scores, matched_score, mimetic2_score, prompt_means, subset_weights
from fit.imitation.verdicts import judge_concepts


def unit(rng, n, d=8):
    vectors = rng.standard_normal((n, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_weights_of_the_largest_of_two_out_of_three():
    # Of the pairs {1,2}, {1,3}, {2,3} the largest is 1, 1, 2.
    assert subset_weights(3, 2, 1) == pytest.approx([2 / 3, 1 / 3, 0])


@pytest.mark.parametrize(("n", "m", "k"), [(4, 4, 4), (7, 3, 2), (8, 5, 3), (6, 6, 1), (5, 1, 1)])
def test_weights_equal_the_mean_over_all_subsets(n, m, k):
    values = np.sort(np.random.default_rng(n * m * k).random(n))[::-1]
    brute = np.mean([np.mean(sorted(some, reverse=True)[:k]) for some in combinations(values, m)])
    assert values @ subset_weights(n, m, k) == pytest.approx(brute, rel=1e-9)
    assert subset_weights(n, m, k).sum() == pytest.approx(1)


@pytest.mark.parametrize(("n", "m", "k"), [(3, 4, 1), (4, 3, 0), (4, 2, 3)])
def test_impossible_subsets_are_refused(n, m, k):
    with pytest.raises(ValueError, match="needs 1 <= k <= m <= n"):
        subset_weights(n, m, k)


def test_the_published_score_grows_with_the_pool_and_the_matched_score_does_not():
    rng = np.random.default_rng(5)
    few, many, published_few, published_many = [], [], [], []
    for _ in range(60):
        generated, prompts = unit(rng, 10), np.repeat(np.arange(5), 2)
        small, large = unit(rng, 10), unit(rng, 200)
        few.append(matched_score(generated, prompts, small, 8, 3).value)
        many.append(matched_score(generated, prompts, large, 8, 3).value)
        published_few.append(mimetic2_score(generated, prompts, small).value)
        published_many.append(mimetic2_score(generated, prompts, large).value)
    error = np.hypot(np.std(few), np.std(many)) / np.sqrt(60)
    assert abs(np.mean(many) - np.mean(few)) < 4 * error
    assert np.mean(published_many) - np.mean(published_few) > 10 * error


def test_the_published_score_equals_its_plain_form():
    rng = np.random.default_rng(1)
    generated, prompts, training = unit(rng, 12), np.repeat(np.arange(3), 4), unit(rng, 30)
    plain = []
    for prompt in range(3):
        cosines = [[float(a @ b) for b in generated[prompts == prompt]] for a in training]
        best = sorted((sum(row) / len(row) for row in cosines), reverse=True)[:10]
        plain.append(sum(best) / len(best))
    assert mimetic2_score(generated, prompts, training).value == pytest.approx(np.mean(plain), abs=1e-6)


def test_prompts_count_equally_and_give_the_standard_error():
    # Prompt 0 has three images on the reference, prompt 1 one image across it: means 1 and 0.
    across, along = np.array([[0, 1]], np.float32), np.array([[1, 0]], np.float32)
    generated = np.concatenate([along, along, along, across])
    score = matched_score(generated, np.array([0, 0, 0, 1]), np.repeat(along, 8, axis=0), 8, 3)
    assert score.value == pytest.approx(0.5)
    # sd of (1, 0) is 0.7071; over sqrt(2) prompts 0.5.
    assert score.standard_error == pytest.approx(0.5)


def test_the_diagonal_of_cross_scores_is_the_matched_score():
    rng = np.random.default_rng(2)
    pools = [unit(rng, 9), unit(rng, 12)]
    images = [unit(rng, 10), unit(rng, 10)]
    prompts = np.repeat(np.arange(5), 2)
    means = np.stack([prompt_means(each, prompts).mean(axis=0) for each in images])
    cross = cross_scores(means, pools, 8, 3)
    for i in range(2):
        assert cross[i, i] == pytest.approx(matched_score(images[i], prompts, pools[i], 8, 3).value, abs=1e-6)


@pytest.mark.parametrize("references", [5, 40])
def test_a_cut_holds_its_false_match_rate_on_fresh_strangers(references):
    rng = np.random.default_rng(references)
    pools = {"own": unit(rng, references), **{f"other {i}": unit(rng, 50) for i in range(40)}}
    cut = calibrate(pools, 0.05)["own"]
    assert cut.strangers_passed <= 0.05 * cut.strangers_total
    let_in = (nearest(unit(rng, 4000), pools["own"]) >= cut.value).mean()
    # 2,000 strangers calibrate, 4,000 test: sd about sqrt(.05 * .95 * (1/2000 + 1/4000)) = 0.006
    assert abs(let_in - 0.05) < 0.02


def test_a_reference_is_not_its_own_evidence():
    # Two references at right angles: each left out, the other does not show it.
    own = np.eye(2, 8, dtype=np.float32)
    strangers = -np.eye(1, 8, dtype=np.float32)
    cuts = calibrate({"own": own, "stranger": np.repeat(strangers, 2, axis=0)}, 0.5)
    # Strangers reach -1 * 1 or 0 against the references, so the cut is above 0, where the pair is too.
    assert cuts["own"].own_passed == 0
    assert cuts["own"].own_total == 2


SHARP = Cut(value=0.5, own_passed=24, own_total=24, strangers_passed=0, strangers_total=5000)


def test_no_caption_is_no_image_and_no_checked_image_is_no_estimate():
    prior, rng = pooled_sensitivity([SHARP] * 5), np.random.default_rng(0)
    none = estimate_frequency(Checked(0, 0, 0), SHARP, prior, 0.95, rng)
    assert (none.images, none.low, none.high) == (0, 0, 0)
    blind = estimate_frequency(Checked(7, 0, 0), SHARP, prior, 0.95, rng)
    assert (blind.images, blind.low, blind.high) == (None, 0, 7)


@pytest.mark.parametrize(("captions", "checked"), [(60, 60), (900, 300)])
def test_the_interval_covers_the_truth(captions, checked):
    sensitivity, false_match, share = 0.93, 0.02, 0.7
    rng = np.random.default_rng(captions)
    covered, raw, corrected = [], [], []
    for _ in range(300):
        shows = rng.random(captions) < share
        passes = np.where(shows, rng.random(captions) < sensitivity, rng.random(captions) < false_match)
        cut = Cut(0.5, int(rng.binomial(24, sensitivity)), 24, int(rng.binomial(3000, false_match)), 3000)
        known = [Cut(0.5, int(rng.binomial(24, sensitivity)), 24, 0, 3000) for _ in range(40)]
        found = Checked(captions, checked, int(passes[:checked].sum()))
        estimate = estimate_frequency(found, cut, pooled_sensitivity(known), 0.95, rng)
        covered.append(estimate.low <= shows.sum() <= estimate.high)
        raw.append(found.passed / checked * captions - shows.sum())
        corrected.append(estimate.images - shows.sum())
    # 300 runs at 95 %: below 91 % in fewer than one of 500 tries.
    assert np.mean(covered) >= 0.91
    assert abs(np.mean(corrected)) < abs(np.mean(raw))


def test_planted_concepts_are_told_from_others_and_a_hub_is_no_imitation():
    rng = np.random.default_rng(3)
    cross = 0.05 * rng.standard_normal((40, 40))
    cross[np.arange(15), np.arange(15)] += 0.6  # imitated
    cross[:, 20] += 0.5  # references that are near everything
    verdicts = judge_concepts(cross, np.full(40, 0.01), 0.05)
    assert verdicts.verdicts[:15] == ("imitated",) * 15
    assert verdicts.verdicts[20] != "imitated"
    assert verdicts.verdicts.count("imitated") <= 17
    assert verdicts.baseline[20] == pytest.approx(0.5, abs=0.05)


def test_too_few_concepts_are_unclear():
    assert judge_concepts(np.eye(20), np.zeros(20), 0.05).verdicts == ("unclear",) * 20


def test_an_images_seed_is_its_own_whatever_else_is_asked():
    short = requests_for("Monet", ("a painting by Monet",), 2, run_seed=7)
    long = requests_for("Monet", ("a sketch by Monet", "a painting by Monet"), 5, run_seed=7)
    assert [r.seed for r in short] == [r.seed for r in long if r.prompt == "a painting by Monet"][:2]
    seeds = {r.seed for r in long} | {image_seed(8, "Monet", "a painting by Monet", 0)}
    assert len(seeds) == 11
    assert all(0 <= seed < 2**63 for seed in seeds)
