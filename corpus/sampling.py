"""A bounded sample of rows that depends on the rows alone, not on their order or on who saw them.

Each row has a key, a digest of (seed, concept, file, row); the sample is the rows with the smallest keys. So
the sample of a union is the sample of the samples, and its first n rows are a random sample of size n.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class SampleRow(NamedTuple):
    """One sampled row; rows sort by their key.

    Attributes:
        key: Its 64-bit digest.
        file: The shard's name.
        row: Its number in the file, from 0.
        url: Its address, None where there is none.
        caption: Its caption.
    """

    key: int
    file: str
    row: int
    url: str | None
    caption: str


def base_of(seed: int, concept: str, file: str) -> int:
    """Return what the keys of one file's rows for one concept are made from, uniform over [0, 2**64)."""
    digest = hashlib.blake2b(f"{seed}\0{concept}\0{file}\0".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "little")


def keys_of(bases: NDArray[np.uint64] | np.uint64, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the rows' keys: different for different rows of one base, uniform over [0, 2**64).

    The generator SplitMix64 (Steele, Lea & Flood 2014) started at the base, and its output number ``row``.

    Args:
        bases: What `base_of` returned, one for all rows or one for each, shape (n,).
        rows: Numbers of rows, at least 0, shape (n,).
    """
    with np.errstate(over="ignore"):
        mixed = bases + (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    keys: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return keys


def smallest(owners: NDArray[np.int64], keys: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    """Return the positions of each owner's ``size`` smallest keys, by owner and key.

    Args:
        owners: To whom each row belongs, shape (n,).
        keys: The rows' keys, shape (n,).
        size: At most so many rows of each owner, at least 0.
    """
    order = np.lexsort((keys, owners))
    sorted_owners = owners[order]
    rank = np.arange(len(order)) - np.searchsorted(sorted_owners, sorted_owners, side="left")
    return order[rank < size]
