"""From the bytes of any image file to pixels, ahead of the network that looks at them.

Files come from strangers: whatever is wrong with one ends as a reason for ``skipped.parquet``. An animation
is its first picture; a photograph is turned as its EXIF orientation says; CMYK becomes RGB; 16-bit greys are
scaled to 8 bits; a transparent image is what stands under the transparency, as in the published
preprocessing.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from fit.imitation.scorers import Embedded, Unreadable, Vectors

Prepared = TypeVar("Prepared")
LARGEST_SIDE = 8192  # pixels; more is a mistake or an attack, and is not decoded
# Other decoders are not for strangers' files: EPS runs Ghostscript.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
ORIENTATION = 0x0112  # EXIF 2.32, table 4
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DAMAGED = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    Image.DecompressionBombError,
)
# What a damaged EXIF block makes Pillow raise.
_DAMAGED_EXIF = (*_DAMAGED, struct.error, KeyError, IndexError, TypeError, AttributeError, OverflowError)


def decode(data: bytes) -> Image.Image | str:
    """Return an image in mode RGB, upright, or why it cannot be read, in one line."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if max(image.size) > LARGEST_SIDE:
                return f"image of {image.size[0]} x {image.size[1]} pixels, more than {LARGEST_SIDE} a side"
            return _upright(image)
    except UnidentifiedImageError:  # its message holds an address in memory, another one in each run
        return "not a readable image (of no format that is read: PNG, JPEG, WebP, GIF, BMP)"
    except _DAMAGED as error:
        return f"not a readable image ({str(error).splitlines()[0] if str(error) else type(error).__name__})"


def _upright(image: Image.Image) -> Image.Image:
    turn = TURNS.get(_orientation(image))
    plain = _to_rgb(image)
    return plain if turn is None else plain.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where there is none or it cannot be read."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except _DAMAGED_EXIF:
        return 1
    return value if isinstance(value, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if not image.mode.startswith("I"):
        return image.convert("RGB")
    # Pillow cuts 16-bit greys off at 255 where it should scale them.
    grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Silence Pillow's warnings on odd files: what cannot be read is reported otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def decoded(
    images: Sequence[bytes], prepare: Callable[[Image.Image], Prepared], ahead: int = 256
) -> Iterator[tuple[int, Prepared | str]]:
    """Yield (place, what `prepare` made of the image, or why it cannot be read), in order.

    Threads work up to `ahead` images before the one that is asked for, so that a network never waits for a
    decoder that keeps pace with it. Pillow and NumPy let go of the interpreter while they work.

    Args:
        images: Encoded images.
        prepare: From an upright RGB image to what the network takes; called in threads.
        ahead: How many prepared images wait at most: bounds the memory.
    """

    def one(data: bytes) -> Prepared | str:
        image = decode(data)
        return image if isinstance(image, str) else prepare(image)

    waiting: deque[Future[Prepared | str]] = deque()
    with ThreadPoolExecutor(_workers(), thread_name_prefix="decode") as pool:
        for place in range(len(images)):
            while len(waiting) < ahead and place + len(waiting) < len(images):
                waiting.append(pool.submit(one, images[place + len(waiting)]))
            yield place, waiting.popleft().result()


def _workers() -> int:
    return max(1, min(16, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4))


def embed_in_batches(
    images: Sequence[bytes],
    prepare: Callable[[Image.Image], np.ndarray],
    forward: Callable[[np.ndarray], Vectors],
    dimensions: int,
    batch: int,
) -> Embedded:
    """Embed images in batches of `batch` readable ones, decoding the next while one is computed.

    Args:
        images: Encoded images.
        prepare: From an image to the array that the network takes; all of one shape.
        forward: From a batch (n, ...) to unit vectors (n, dimensions).
        dimensions: Of the vectors.
        batch: Images in a batch.
    """
    vectors: list[Vectors] = [np.empty((0, dimensions), np.float32)]
    index: list[int] = []
    unreadable: list[Unreadable] = []
    pending: list[np.ndarray] = []
    with quiet_decoding():
        for place, found in decoded(images, prepare, 2 * batch):
            if isinstance(found, str):
                unreadable.append(Unreadable(place, found))
                continue
            index.append(place)
            pending.append(found)
            if len(pending) == batch:
                vectors.append(forward(np.stack(pending)))
                pending = []
        if pending:
            vectors.append(forward(np.stack(pending)))
    return with_direction(
        Embedded(np.concatenate(vectors), np.array(index, dtype=np.int64), tuple(unreadable))
    )


def with_direction(found: Embedded) -> Embedded:
    """Move images of which the network makes nothing (0, or not finite) to the unreadable ones."""
    good = np.isfinite(found.vectors).all(axis=1) & (np.abs(found.vectors).max(axis=1, initial=0) > 0)
    if good.all():
        return found
    lost = (Unreadable(int(place), "the scorer makes no vector of it") for place in found.index[~good])
    return Embedded(
        found.vectors[good],
        found.index[good],
        tuple(sorted((*found.unreadable, *lost), key=lambda each: each.index)),
        {name: values[good] for name, values in found.facts.items()},
    )
