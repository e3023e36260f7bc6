"""A world small enough to be made again in each test session."""

from __future__ import annotations

import numpy as np

from fit.world.plan import Recipe
from fit.world.render import KINDS, Pictures
from fit.world.styles import random_styles

# Of this seed: near-duplicates, one of them the same link again, and an image whose caption names nobody.
SMALL = Recipe(
    seed=8, concepts=24, without=4, most=12, rows=400, caption_shards=2, image_shards=2, references=10
)


def pictures(n: int, seed: int = 1) -> Pictures:
    """`n` pictures of random styles, subjects and seeds."""
    rng = np.random.default_rng(seed)
    seeds = rng.integers(0, 2**63, n).astype(np.uint64)
    return Pictures(random_styles(n, rng), rng.integers(0, len(KINDS), n), seeds)


def quiet(step: int, loss: float) -> None:
    """A log that keeps nothing."""
