"""Random signs for the replicates, drawn in blocks so that memory stays bounded."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fit.threshold.curve import Floats
from fit.threshold.sample import Sample

Singles = NDArray[np.float32]

_BLOCK_VALUES: Final = 4_000_000


def sign_blocks(n: int, replicates: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Blocks of random signs, each of shape (n, replicates in the block); the same for the same arguments."""
    rng = np.random.default_rng(seed)
    size = max(8, _BLOCK_VALUES // max(n, 1))
    for first in range(0, replicates, size):
        columns = min(size, replicates - first)
        packed = rng.integers(0, 256, size=(n, (columns + 7) // 8), dtype=np.uint8)
        bits = np.unpackbits(packed, axis=1, count=columns)
        yield bits.astype(np.float32) * np.float32(2.0) - np.float32(1.0)


def flipped_sums(sample: Sample, values: Floats, replicates: int, seed: int) -> Singles:
    """Sums within cells of values of the concepts whose signs were flipped at random.

    Args:
        sample: gives the cells.
        values: values of the concepts. Shape (n,).
        replicates: number R of draws.
        seed: of the signs.

    Returns:
        Shape (K, R), single precision.
    """
    summing = sample.summing(values)
    sums = np.empty((sample.x.size, replicates), dtype=np.float32)
    done = 0
    for signs in sign_blocks(sample.score.size, replicates, seed):
        sums[:, done : done + signs.shape[1]] = summing @ signs
        done += signs.shape[1]
    return sums
