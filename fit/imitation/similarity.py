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
BLOCK = 8192
"""Vectors that are turned into float64 together."""


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one concept.

    Attributes:
        value: In [-1, 1].
        standard_error: Between prompts, >= 0; None with fewer than two prompts.
        image_error: Of the images within the prompts, >= 0, with the prompts held; None where a prompt has
            fewer than two. Where it is much below the other, more images per prompt would tell no more.
    """

    value: float
    standard_error: float | None
    image_error: float | None = None


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
    direction = _matched_direction(generated, prompts, references, m, k)
    return _over_prompts(generated.astype(np.float64) @ direction, prompts)


def matched_by_prompt(
    generated: Vectors, prompts: npt.NDArray[np.int64], references: Vectors, m: int, k: int
) -> Array:
    """Return each prompt's part of the matched score, shape (prompts,), in the order of the prompts' numbers.

    Arguments as `matched_score`, which is the mean of these.
    """
    direction = _matched_direction(generated, prompts, references, m, k)
    by_prompt: Array = prompt_means(generated, prompts).astype(np.float64) @ direction
    return by_prompt


def _matched_direction(
    generated: Vectors, prompts: npt.NDArray[np.int64], references: Vectors, m: int, k: int
) -> Array:
    """Return the mixture of references with which an image's cosine is its part of the score, shape (d,)."""
    mean = prompt_means(generated, prompts).astype(np.float64).mean(axis=0)
    order = np.argsort(-cosines(references, mean), kind="stable")
    weights = np.empty(len(references))
    weights[order] = subset_weights(len(references), m, k)
    direction = np.zeros(references.shape[1])
    for start in range(0, len(references), BLOCK):
        direction += weights[start : start + BLOCK] @ references[start : start + BLOCK].astype(np.float64)
    return direction


def mimetic2_score(
    generated: Vectors, prompts: npt.NDArray[np.int64], training: Vectors, top: int = 10
) -> Score:
    """Return the published score.

    For each prompt the mean of the `top` largest mean cosines, then the mean over prompts.

    Source: Verma et al. 2024, arXiv:2410.15002. With fewer than `top` training images all of them count.
    """
    means = prompt_means(generated, prompts).astype(np.float64)
    similarity = cosines(training, means.T)
    parts = np.empty(len(generated))
    for place, prompt in enumerate(np.unique(prompts)):
        best = np.argsort(-similarity[:, place], kind="stable")[:top]
        direction = training[best].astype(np.float64).mean(axis=0)
        parts[prompts == prompt] = generated[prompts == prompt].astype(np.float64) @ direction
    return _over_prompts(parts, prompts)


def cosines(vectors: Vectors, directions: Array) -> Array:
    """Return cosines of vectors (n, d) with directions (d,) or (d, p), in blocks that bound the memory."""
    found = np.empty((len(vectors), *directions.shape[1:]))
    for start in range(0, len(vectors), BLOCK):
        found[start : start + BLOCK] = vectors[start : start + BLOCK].astype(np.float64) @ directions
    return found


def prompt_means(generated: Vectors, prompts: npt.NDArray[np.int64]) -> Vectors:
    """Return the mean vector of each prompt's images, shape (prompts, d).

    In the order of the prompts' numbers.
    """
    return np.stack([generated[prompts == prompt].mean(axis=0) for prompt in np.unique(prompts)])


def _over_prompts(parts: Array, prompts: npt.NDArray[np.int64]) -> Score:
    """Return the mean of the prompts' means of the images' parts, shape (g,), with its standard errors."""
    by_prompt = [parts[prompts == prompt] for prompt in np.unique(prompts)]
    means, n = np.array([part.mean() for part in by_prompt]), len(by_prompt)
    between = float(means.std(ddof=1) / np.sqrt(n)) if n > 1 else None
    within = None
    if all(len(part) > 1 for part in by_prompt):
        within = float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in by_prompt)) / n)
    return Score(float(means.mean()), between, within)


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
