"""Are these bytes an image? Decided by decoding them, not by their name or what the server called them.

The bytes are kept as they came; whatever else they hold (EXIF, ICC profiles, a second file behind the image)
is neither read nor passed on by anything here.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Collection

from PIL import Image

from corpus.fetch.limits import FAILED, FLAGGED, NO_IMAGE, Failure, Limits, Picture

SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
"""Pillow's other decoders are not for strangers' files: EPS runs Ghostscript."""


def check_picture(data: bytes, limits: Limits, flagged: Collection[str] = ()) -> Picture | Failure:
    """Decode an image wholly and return it with its size, or why it is none.

    Args:
        data: The bytes as they were received.
        limits: Its `pixels` and `side` count here.
        flagged: Digests (MD5, SHA-1 or SHA-256, lower-case hexadecimal) of images that nobody may keep.
    """
    if not data:
        return Failure(FAILED, "empty answer")
    if flagged and not flagged_digests(data).isdisjoint(flagged):
        return Failure(FLAGGED, "on the list of flagged images")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, on odd files
        try:
            return _decoded(data, limits)
        except Exception as error:  # noqa: BLE001 (decoders of hostile bytes raise what they please)
            return Failure(NO_IMAGE, f"not an image that can be decoded ({type(error).__name__})")


def flagged_digests(data: bytes) -> set[str]:
    """Return the digests of an image that lists of flagged images may hold."""
    return {hashlib.new(name, data, usedforsecurity=False).hexdigest() for name in ("md5", "sha1", "sha256")}


def _decoded(data: bytes, limits: Limits) -> Picture | Failure:
    with Image.open(io.BytesIO(data), formats=tuple(SUFFIXES)) as image:
        width, height = image.size
        if width * height > limits.pixels:  # before anything is decoded
            return Failure(NO_IMAGE, f"{width} x {height} pixels, more than {limits.pixels:,}")
        if min(width, height) < limits.side:
            return Failure(NO_IMAGE, f"{width} x {height} pixels, smaller than {limits.side} a side")
        suffix = SUFFIXES[str(image.format)]
        image.load()  # to the last row: a truncated file is found here
    return Picture(data, suffix, width, height, hashlib.sha256(data).hexdigest())
