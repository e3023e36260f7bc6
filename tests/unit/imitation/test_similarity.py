from __future__ import annotations

import numpy as np
import pytest

from fit.imitation.similarity import (
    Vectors,
    cross_scores,
    matched_by_prompt,
    matched_score,
    mimetic2_score,
    prompt_means,
    subset_weights,
)
from tests.unit.imitation.vectors import anywhere, at_cosines

EAST = np.array([[1, 0]], dtype=np.float32)
NORTH = np.array([[0, 1]], dtype=np.float32)
ONE_PROMPT = np.zeros(1, dtype=np.int64)


def test_weights_of_the_best_of_two_out_of_three() -> None:
    # Subsets {1,2} {1,3} {2,3} of the places by rank: the best is 1, 1, 2.
    np.testing.assert_allclose(subset_weights(3, 2, 1), [2 / 3, 1 / 3, 0], atol=1e-12)


def test_weights_of_the_best_two_of_three_out_of_four() -> None:
    # Subsets 123 124 134 234 keep 12 12 13 23: rank 1 three times, 2 three times, 3 twice, of 8 places.
    np.testing.assert_allclose(subset_weights(4, 3, 2), [3 / 8, 3 / 8, 2 / 8, 0], atol=1e-12)


def test_whole_pool_is_a_plain_mean_of_the_k_largest() -> None:
    np.testing.assert_allclose(subset_weights(5, 5, 2), [0.5, 0.5, 0, 0, 0], atol=1e-12)


def test_whole_subset_is_a_plain_mean_of_the_pool() -> None:
    np.testing.assert_allclose(subset_weights(5, 3, 3), np.full(5, 1 / 5), atol=1e-12)


def test_weights_of_a_large_pool_do_not_overflow() -> None:
    # The largest is kept whenever it is drawn: 8/20000, a third of the mean each time.
    weights = subset_weights(20_000, 8, 3)
    assert weights.sum() == pytest.approx(1, abs=1e-9)
    assert weights[0] == pytest.approx(8 / 20_000 / 3, rel=1e-6)


@pytest.mark.parametrize(("n", "m", "k"), [(7, 8, 3), (8, 2, 3), (8, 3, 0), (0, 0, 0)])
def test_impossible_subsets_are_refused(n: int, m: int, k: int) -> None:
    with pytest.raises(ValueError, match=f"k={k}, m={m}, n={n}"):
        subset_weights(n, m, k)


def test_matched_score_by_hand() -> None:
    # Cosines 0, 1, 0.6 (order does not matter): 2/3 * 1 + 1/3 * 0.6 + 0 * 0 = 13/15.
    score = matched_score(EAST, ONE_PROMPT, at_cosines([0, 1, 0.6]), m=2, k=1)
    assert score.value == pytest.approx(13 / 15, abs=1e-6)
    assert score.standard_error is None


def test_prompts_count_equally_and_give_the_standard_error() -> None:
    # Prompt 4 scores 1 with three images, prompt 9 scores 0 with one: mean 1/2, where images alone give 3/4.
    # Standard deviation of (1, 0) with n - 1: sqrt(1/2); over sqrt(2): 1/2.
    generated = np.concatenate([EAST, NORTH, EAST, EAST])
    prompts = np.array([4, 9, 4, 4])
    for score in (
        matched_score(generated, prompts, EAST, m=1, k=1),
        mimetic2_score(generated, prompts, EAST),
    ):
        assert score.value == pytest.approx(0.5, abs=1e-6)
        assert score.standard_error == pytest.approx(0.5, abs=1e-6)


def test_standard_error_of_three_prompts() -> None:
    # Values 0.8, 0.2, 0.5: mean 0.5, deviations 0.3, -0.3, 0: variance 0.18 / 2; sqrt(0.09 / 3) = 0.17321.
    score = matched_score(at_cosines([0.8, 0.2, 0.5]), np.arange(3), EAST, m=1, k=1)
    assert score.value == pytest.approx(0.5, abs=1e-6)
    assert score.standard_error == pytest.approx(np.sqrt(0.03), abs=1e-6)


def test_order_of_references_is_held_over_prompts() -> None:
    # Two prompts, two references; cosines (1, 0.6) and (0, 0.8). By their means (0.5, 0.7) the second
    # reference is the more similar one, so it counts for both: (0.6 + 0.8) / 2 = 0.7, not (1 + 0.8) / 2.
    references = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    score = matched_score(np.concatenate([EAST, NORTH]), np.arange(2), references, m=2, k=1)
    assert score.value == pytest.approx(0.7, abs=1e-6)
    assert score.standard_error == pytest.approx(0.1, abs=1e-6)


def test_published_score_takes_the_best_of_each_prompt() -> None:
    # The same vectors: there each prompt has its own best, (1 + 0.8) / 2 = 0.9.
    training = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    score = mimetic2_score(np.concatenate([EAST, NORTH]), np.arange(2), training, top=1)
    assert score.value == pytest.approx(0.9, abs=1e-6)


def test_published_score_with_fewer_training_images_than_top() -> None:
    # (1 + 0.6 + 0.2) / 3
    score = mimetic2_score(EAST, ONE_PROMPT, at_cosines([0.2, 1, 0.6]), top=10)
    assert score.value == pytest.approx(0.6, abs=1e-6)


def plain_published_score(
    generated: list[list[float]], prompts: list[int], training: list[list[float]], top: int
) -> float:
    """Verma et al. 2024, section 4: the whole matrix of generated x training cosines, in plain Python."""
    of_prompts = []
    for prompt in sorted(set(prompts)):
        images = [image for image, its in zip(generated, prompts, strict=True) if its == prompt]
        matrix = [[sum(a * b for a, b in zip(g, t, strict=True)) for t in training] for g in images]
        of_training = [sum(row[j] for row in matrix) / len(images) for j in range(len(training))]
        best = sorted(of_training, reverse=True)[:top]
        of_prompts.append(sum(best) / len(best))
    return sum(of_prompts) / len(of_prompts)


@pytest.mark.parametrize("training_images", [4, 10, 60])
def test_published_score_equals_a_plain_reference(training_images: int) -> None:
    rng = np.random.default_rng(training_images)
    generated, training = anywhere(rng, 17, 6), anywhere(rng, training_images, 6)
    prompts = np.array([0, 1, 2, 3, 4, 4, 4, 0, 0, 2, 2, 2, 2, 3, 1, 1, 0])
    plain = plain_published_score(generated.tolist(), prompts.tolist(), training.tolist(), 10)
    assert mimetic2_score(generated, prompts, training, 10).value == pytest.approx(plain, abs=1e-6)


def scores_without_imitation(references: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(matched, published) scores of 200 concepts whose references have nothing to do with their images."""
    rng = np.random.default_rng(seed)
    prompts = np.repeat(np.arange(5), 4)
    matched, published = [], []
    for _ in range(200):
        generated, pool = anywhere(rng, 20, 16), anywhere(rng, references, 16)
        matched.append(matched_score(generated, prompts, pool, m=8, k=3).value)
        published.append(mimetic2_score(generated, prompts, pool).value)
    return np.array(matched), np.array(published)


def test_only_the_published_score_grows_with_the_number_of_references() -> None:
    few, many = scores_without_imitation(10, seed=1), scores_without_imitation(50, seed=2)
    errors = [np.sqrt(a.var() / len(a) + b.var() / len(b)) for a, b in zip(few, many, strict=True)]
    matched, published = (b.mean() - a.mean() for a, b in zip(few, many, strict=True))
    assert abs(matched) < 3 * errors[0]
    assert published > 20 * errors[1]


def three_concepts(
    rng: np.random.Generator,
) -> tuple[list[Vectors], list[Vectors], np.ndarray]:
    generated = [anywhere(rng, 6, 5) for _ in range(3)]
    return generated, [anywhere(rng, n, 5) for n in (8, 9, 20)], np.array([0, 0, 1, 1, 2, 2])


def test_diagonal_of_the_cross_scores_is_the_matched_score() -> None:
    generated, references, prompts = three_concepts(np.random.default_rng(3))
    means = np.stack([prompt_means(each, prompts).mean(axis=0) for each in generated])
    cross = cross_scores(means, references, m=8, k=3)
    for i in range(3):
        own = matched_score(generated[i], prompts, references[i], m=8, k=3)
        assert cross[i, i] == pytest.approx(own.value, abs=1e-6)


def test_cross_scores_put_images_in_rows_and_references_in_columns() -> None:
    # Images east; references of 0: north (0), of 1: east (1).
    cross = cross_scores(np.concatenate([EAST, EAST]), [NORTH, EAST], m=1, k=1)
    np.testing.assert_allclose(cross, [[0, 1], [0, 1]], atol=1e-7)


def test_the_error_of_the_images_within_prompts_by_hand() -> None:
    # One reference (1, 0); prompt 0 has images at cosines 1 and 0, prompt 1 two at 0.5.
    generated = at_cosines([1, 0, 0.5, 0.5])
    score = matched_score(generated, np.array([0, 0, 1, 1]), at_cosines([1]), 1, 1)
    assert score.value == pytest.approx(0.5)
    assert score.standard_error == pytest.approx(0, abs=1e-6)  # both prompts have 0.5
    # Variance of (1, 0) is 0.5, over 2 images 0.25; the other prompt has none; root over 2 prompts: 0.25.
    assert score.image_error == pytest.approx(0.25)
    published = mimetic2_score(generated, np.array([0, 0, 1, 1]), at_cosines([1]))
    assert (published.value, published.image_error) == (pytest.approx(0.5), pytest.approx(0.25))
    assert matched_score(generated, np.array([0, 0, 0, 1]), at_cosines([1]), 1, 1).image_error is None


def test_the_error_of_the_images_is_that_of_drawing_them_again() -> None:
    rng = np.random.default_rng(8)
    references = anywhere(rng, 12, 6)
    prompts = np.repeat(np.arange(4), 10)
    centres = anywhere(rng, 4, 6)

    def draw() -> np.ndarray:
        images = centres[prompts] + 0.3 * rng.standard_normal((40, 6))
        return (images / np.linalg.norm(images, axis=1, keepdims=True)).astype(np.float32)

    scores = [matched_score(draw(), prompts, references, 8, 3) for _ in range(400)]
    spread = np.std([score.value for score in scores])
    assert np.mean([score.image_error for score in scores]) == pytest.approx(spread, rel=0.15)


def test_many_training_images_are_scored_as_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    generated, prompts, pool = anywhere(rng, 20, 6), np.repeat(np.arange(4), 5), anywhere(rng, 50, 6)
    whole = (matched_score(generated, prompts, pool, 8, 3), mimetic2_score(generated, prompts, pool))
    monkeypatch.setattr("fit.imitation.similarity.BLOCK", 7)
    parts = (matched_score(generated, prompts, pool, 8, 3), mimetic2_score(generated, prompts, pool))
    for one, other in zip(whole, parts, strict=True):
        assert other.value == pytest.approx(one.value, abs=1e-12)


def test_the_parts_of_the_prompts_by_hand() -> None:
    generated = np.array([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]], np.float32)
    prompts, references = np.array([4, 4, 7]), np.eye(2, dtype=np.float32)
    # The prompts' means (1, 0) and (0.6, 0.8) have the mean (0.8, 0.4): the first reference is the nearest.
    # Of both (m = 2) the best one (k = 1) is taken: cosines 1 and 0.6, whose mean is the matched score.
    parts = matched_by_prompt(generated, prompts, references, m=2, k=1)
    np.testing.assert_allclose(parts, [1.0, 0.6], atol=1e-6)
    assert matched_score(generated, prompts, references, m=2, k=1).value == pytest.approx(0.8, abs=1e-6)
