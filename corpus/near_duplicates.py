"""Pictures that are the same but for their size, compression or a few pixels, by their perceptual hash."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LARGEST_SIDE = 8192
"""Largest side of an image that is decoded, in pixels."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def near_duplicates(images: Sequence[bytes], most_bits: int) -> dict[int, int]:
    """Return the place of each image that repeats an earlier one, with that one's place.

    Two pictures are the same when their perceptual hashes (64 bits of a discrete cosine transform, as in
    the `imagehash` package) differ in at most `most_bits`. Halving and recompressing a photograph changes up
    to 4. Only images that are kept are compared with, so that a chain of small changes does not end in
    leaving out a different one. Images that cannot be decoded repeat nothing.

    Args:
        images: Encoded images.
        most_bits: In [0, 64]; -1 finds nothing.
    """
    found: dict[int, int] = {}
    if most_bits < 0:
        return found
    kept: list[int] = []
    hashes: list[NDArray[np.bool_]] = []
    for place, data in enumerate(images):
        bits = perceptual_hash(data)
        if bits is None:
            continue
        differ = [int((bits != other).sum()) for other in hashes]
        if differ and min(differ) <= most_bits:
            found[place] = kept[int(np.argmin(differ))]
        else:
            kept.append(place)
            hashes.append(bits)
    return found


def perceptual_hash(data: bytes) -> NDArray[np.bool_] | None:
    """Return the 64 bits of an image's perceptual hash, None where it cannot be decoded."""
    import warnings

    import imagehash
    from PIL import Image, UnidentifiedImageError

    damaged = (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, on odd files
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if max(image.size) > LARGEST_SIDE:
                    return None
                bits: NDArray[np.bool_] = imagehash.phash(image.convert("RGB")).hash.ravel()
                return bits
    except damaged:
        return None
