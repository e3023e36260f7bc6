"""The closed form of the matched score equals counting all subsets, and nothing depends on an order."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fit.imitation.similarity import matched_score, mimetic2_score, prompt_means, subset_weights
from tests.unit.imitation.vectors import anywhere


@st.composite
def subsets(draw: st.DrawFn) -> tuple[int, int, int]:
    """n >= m >= k >= 1."""
    n = draw(st.integers(1, 8))
    m = draw(st.integers(1, n))
    return n, m, draw(st.integers(1, m))


@given(subsets())
@settings(deadline=None)
def test_weights_equal_counting_all_subsets(sizes: tuple[int, int, int]) -> None:
    n, m, k = sizes
    kept = np.zeros(n)
    for subset in combinations(range(n), m):  # ascending: the first are the largest
        kept[list(subset[:k])] += 1
    np.testing.assert_allclose(subset_weights(n, m, k), kept / kept.sum(), atol=1e-12)


@given(subsets(), st.integers(0, 2**32), st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_matched_score_is_the_mean_over_all_subsets(
    sizes: tuple[int, int, int], seed: int, prompts: int
) -> None:
    n, m, k = sizes
    rng = np.random.default_rng(seed)
    generated, of = anywhere(rng, 2 * prompts, 4), np.arange(2 * prompts) % prompts
    references = anywhere(rng, n, 4)
    cosines = references.astype(float) @ prompt_means(generated, of).mean(axis=0).astype(float)
    best = [np.sort(cosines[list(subset)])[::-1][:k].mean() for subset in combinations(range(n), m)]
    score = matched_score(generated, of, references, m, k)
    assert score.value == pytest.approx(np.mean(best), abs=1e-6)


@given(st.integers(1, 400), st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None)
def test_weights_are_shares_that_never_rise(n: int, m: int, k: int) -> None:
    m, k = min(m, n), min(k, m, n)
    weights = subset_weights(n, m, k)
    assert weights.sum() == pytest.approx(1, abs=1e-9)
    assert (weights >= 0).all()
    assert (np.diff(weights) <= 1e-12).all()


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=40)
def test_order_of_images_and_references_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    generated, references = anywhere(rng, 9, 5), anywhere(rng, 11, 5)
    prompts = rng.integers(0, 3, 9)
    images, others = rng.permutation(9), rng.permutation(11)
    matched = matched_score(generated, prompts, references, 8, 3)
    again = matched_score(generated[images], prompts[images], references[others], 8, 3)
    assert again.value == pytest.approx(matched.value, abs=1e-6)
    published = mimetic2_score(generated, prompts, references)
    again = mimetic2_score(generated[images], prompts[images], references[others])
    assert again.value == pytest.approx(published.value, abs=1e-6)
