"""Imitation scores: how alike generated images and reference (or training) images of a concept are.

All vectors are unit vectors, so a mean cosine over generated images is the cosine with their mean: no
matrix of generated x reference images is ever needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Vectors = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one concept.

    Attributes:
        value: In [-1, 1].
        standard_error: Between prompts, >= 0; None with fewer than two prompts.
    """

    value: float
    standard_error: float | None


def subset_weights(n: int, m: int, k: int) -> Array:
    """Return the weights that give the expected mean of the k largest of a random subset of m out of n.

    The i-th largest of n (i from 1) is among the k largest of a random m-subset when it is drawn and fewer
    than k larger ones are: the sum over t < k of C(i-1, t) C(n-i, m-1-t) / C(n, m). Weights are these
    chances over k; they sum to 1.

    Args:
        n: Size of the pool, >= m.
        m: Size of the subset, >= k.
        k: How many of the largest are averaged, >= 1.

    Returns:
        Shape (n,), for values sorted from the largest to the smallest.

    Raises:
        ValueError: Not 1 <= k <= m <= n.
    """
    if not 1 <= k <= m <= n:
        raise ValueError(f"needs 1 <= k <= m <= n, not k={k}, m={m}, n={n}")
    larger = np.arange(n)[:, None]
    drawn = np.arange(k)[None, :]
    log_chance = (
        _log_binomial(larger, drawn) + _log_binomial(n - 1 - larger, m - 1 - drawn) - _log_binomial(n, m)
    )
    weights: Array = np.exp(log_chance).sum(axis=1) / k
    return weights


def _log_binomial(n: npt.ArrayLike, k: npt.ArrayLike) -> Array:
    """Return log C(n, k), minus infinity where k is outside [0, n]."""
    n, k = np.broadcast_arrays(np.asarray(n, dtype=float), np.asarray(k, dtype=float))
    possible = (k >= 0) & (k <= n)
    safe_n, safe_k = np.where(possible, n, 0.0), np.where(possible, k, 0.0)
    logs = gammaln(safe_n + 1) - gammaln(safe_k + 1) - gammaln(safe_n - safe_k + 1)
    return np.where(possible, logs, -np.inf)


def matched_score(
    generated: Vectors, prompts: npt.NDArray[np.int64], references: Vectors, m: int, k: int
) -> Score:
    """Return the score that does not grow with the number of references (METHOD: `matched`).

    Args:
        generated: Vectors of the generated images, shape (g, d).
        prompts: The prompt of each, shape (g,); prompts count equally however many images each has.
        references: Vectors of the reference images, shape (n, d), n >= m.
        m: Size of the random subset of references.
        k: How many of the most similar of the subset are averaged.

    Returns:
        The expected mean, over random m-subsets, of the k references most similar to the generated images;
        its standard error is the standard deviation of the prompts' own values over the square root of
        their number, with the order of the references held.
    """
    return _over_prompts(matched_by_prompt(generated, prompts, references, m, k))


def matched_by_prompt(
    generated: Vectors, prompts: npt.NDArray[np.int64], references: Vectors, m: int, k: int
) -> Array:
    """Return each prompt's part of the matched score, shape (prompts,), in the order of the prompts' numbers.

    Arguments as `matched_score`, which is the mean of these.
    """
    means = prompt_means(generated, prompts)
    similarity = means.astype(np.float64) @ references.astype(np.float64).T  # (prompts, n)
    order = np.argsort(-similarity.mean(axis=0), kind="stable")
    by_prompt: Array = similarity[:, order] @ subset_weights(len(references), m, k)
    return by_prompt


def mimetic2_score(
    generated: Vectors, prompts: npt.NDArray[np.int64], training: Vectors, top: int = 10
) -> Score:
    """Return the published score.

    For each prompt the mean of the `top` largest mean cosines, then the mean over prompts.

    Source: Verma et al. 2024, arXiv:2410.15002. With fewer than `top` training images all of them count.
    """
    similarity = prompt_means(generated, prompts).astype(np.float64) @ training.astype(np.float64).T
    largest = np.sort(similarity, axis=1)[:, ::-1][:, :top]
    return _over_prompts(largest.mean(axis=1))


def prompt_means(generated: Vectors, prompts: npt.NDArray[np.int64]) -> Vectors:
    """Return the mean vector of each prompt's images, shape (prompts, d).

    In the order of the prompts' numbers.
    """
    return np.stack([generated[prompts == prompt].mean(axis=0) for prompt in np.unique(prompts)])


def _over_prompts(values: Array) -> Score:
    spread = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
    return Score(float(values.mean()), spread)


def cross_scores(means: Vectors, references: list[Vectors], m: int, k: int) -> Array:
    """Return every concept's images scored against every concept's references.

    Args:
        means: Mean vector of each concept's generated images (prompts counting equally), shape (c, d).
        references: Reference vectors of each concept, c arrays of shape (n_j, d), n_j >= m.
        m: Size of the random subset of references.
        k: How many of the most similar are averaged.

    Returns:
        Shape (c, c): row i, column j is the matched score of the images of i against the references of j;
        the diagonal is the concepts' own scores.
    """
    columns = []
    for pool in references:
        similarity = np.sort(means.astype(np.float64) @ pool.astype(np.float64).T, axis=1)[:, ::-1]
        columns.append(similarity @ subset_weights(len(pool), m, k))
    return np.stack(columns, axis=1)
