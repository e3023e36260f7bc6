"""Which of some images are the same picture: re-encoded, resized, recoloured or shifted a little.

Two images are candidates when their perceptual hashes (64 bits, `imagehash.phash`) differ in few bits, and
the same picture when grey thumbnails of 32 x 32 pixels correlate strongly at some small shift. The hash alone
does not do: at a limit where it finds the copies of small pictures it also finds other pictures of the same
artist, and n images have n (n - 1) / 2 pairs to go wrong in. docs/decisions/008 has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fit.imitation.decoding import decoded, quiet_decoding

if TYPE_CHECKING:
    from PIL import Image

CANDIDATE_BITS = 16
"""Most bits of 64 in which the hashes of one picture's copies differ."""

SAME = 0.97
"""Least correlation of two thumbnails of one picture, in [-1, 1]."""

SIDE = 32
SHIFT = 2  # pixels of a thumbnail, in each direction: 6 % of a side
_BLOCK = 1024
_PAIRS = 8192

Labels = npt.NDArray[np.int64]
Thumbnails = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """How often different pictures of one concept are taken for the same.

    Attributes:
        found: Pairs of a concept's references that are taken for the same picture.
        pairs: Pairs of references of one concept that were compared.
    """

    found: int
    pairs: int

    @property
    def rate(self) -> float:
        """Share of the pairs that are taken for the same picture, in [0, 1]; 0 where there is no pair."""
        return self.found / self.pairs if self.pairs else 0.0


def picture_numbers(images: Sequence[bytes]) -> Labels:
    """Return which picture each image is, numbered from 0 in the order of the first images, shape (n,).

    Copies of copies are copies (connected components). An image that cannot be decoded is a picture of its
    own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(images)
    pairs = same_pictures(images)
    joined = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, labels = connected_components(joined, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    ranks = np.argsort(np.argsort(first))
    numbers: Labels = ranks[inverse].astype(np.int64)
    return numbers


def look_alikes(references: Sequence[Sequence[bytes]]) -> LookAlikes:
    """Count the pairs of each concept's references that are taken for the same picture.

    References are chosen to be different pictures. Where some are copies all the same, the rate is too high,
    and the interval of the distinct count too wide.
    """
    sizes = [len(images) for images in references]
    found = sum(len(same_pictures(images)) for images in references)
    return LookAlikes(found, sum(n * (n - 1) // 2 for n in sizes))


def same_pictures(images: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """Return the places of images that are the same picture, in pairs, shape (m, 2)."""
    places, hashes, thumbnails = _fingerprints(images)
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *_candidates(hashes)])
    found: npt.NDArray[np.int64] = places[pairs[_correlation(thumbnails, pairs) >= SAME]].reshape(-1, 2)
    return found


def _fingerprints(images: Sequence[bytes]) -> tuple[Labels, npt.NDArray[np.uint64], Thumbnails]:
    """Return places, hashes (m,) and grey thumbnails (m, 32, 32) of the images that can be decoded."""
    places, hashes, thumbnails = [], [], []
    with quiet_decoding():
        for place, found in decoded(images, _fingerprint):
            if not isinstance(found, str):
                places.append(place)
                hashes.append(found[0])
                thumbnails.append(found[1])
    pixels = np.array(thumbnails, np.float32).reshape(-1, SIDE, SIDE)
    return np.array(places, np.int64), np.array(hashes, np.uint64), pixels


def _fingerprint(image: Image.Image) -> tuple[int, Thumbnails]:
    """Return an image's hash and its grey thumbnail (32, 32)."""
    import imagehash
    from PIL import Image

    grey = image.convert("L")
    thumbnail = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float32)
    return int(str(imagehash.phash(grey)), 16), thumbnail


def _candidates(hashes: npt.NDArray[np.uint64]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield pairs of hashes that differ in few bits, in blocks (m, 2)."""
    for start in range(0, len(hashes), _BLOCK):
        differ = np.bitwise_count(hashes[start : start + _BLOCK, None] ^ hashes[None, start:])
        first, second = np.nonzero(np.triu(differ <= CANDIDATE_BITS, 1))
        yield np.stack([first + start, second + start], axis=1)


def _correlation(thumbnails: Thumbnails, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Return the largest correlation of one thumbnail's middle with the other, shifted, shape (m,)."""
    if not len(pairs):
        return np.zeros(0, np.float32)
    middle = _unit(thumbnails[:, SHIFT:-SHIFT, SHIFT:-SHIFT])
    best = np.full(len(pairs), -1, np.float32)
    width = SIDE - 2 * SHIFT
    for down, right in product(range(2 * SHIFT + 1), repeat=2):
        moved = _unit(thumbnails[:, down : down + width, right : right + width])
        for start in range(0, len(pairs), _PAIRS):
            first, second = pairs[start : start + _PAIRS].T
            some = best[start : start + _PAIRS]
            for one, other in ((first, second), (second, first)):
                np.maximum(some, np.einsum("ij,ij->i", middle[one], moved[other]), out=some)
    return best


def _unit(pixels: Thumbnails) -> Thumbnails:
    """Return pictures without their mean and of length 1, shape (m, pixels); of a blank one, zeros."""
    flat = pixels.reshape(len(pixels), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    unit: Thumbnails = np.where(length > 1, flat / np.maximum(length, 1), 0).astype(np.float32)
    return unit
