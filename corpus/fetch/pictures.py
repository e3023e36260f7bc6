"""Is it an image, a single whole one, and of a size that may be decoded?"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from corpus.fetch.outcomes import Picture, Refusal, refused
from corpus.fetch.policy import Limits

SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
"""Formats that are kept. An MPO is a camera's JPEG with a second picture, such as a preview, behind it."""

TYPES = ("image/", "application/octet-stream", "binary/octet-stream")
"""Content types that may be an image; a missing one is taken for bytes."""

_PLAIN_TYPE = re.compile(r"[a-z0-9.+-]{1,30}/[a-z0-9.+-]{1,30}")
_OPENED = ("JPEG", "PNG", "WEBP", "GIF")  # no decoder but these ever sees the bytes
_NOT_WHOLE = refused("image damaged or cut off")
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, struct.error, zlib.error)


def examine(data: bytes, limits: Limits) -> Picture | Refusal:
    """Return an image that is whole, still and not too large, or why it is not kept.

    The number of pixels is read from the header and judged before anything is decoded.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_OPENED) as image:
            width, height = image.size
            if width * height > limits.image_pixels:
                return refused("too many pixels")
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                return refused("animated")
            suffix = SUFFIXES[str(image.format)]
            image.load()
    except Image.DecompressionBombError:
        return refused("too many pixels")
    except UnidentifiedImageError:
        return refused("not an image")
    except _DAMAGED:
        return _NOT_WHOLE
    return Picture(data, suffix, width, height)


def type_refusal(content_type: str | None) -> Refusal | None:
    """Return why a content type is refused, None where it may be an image."""
    plain = (content_type or TYPES[1]).partition(";")[0].strip().lower()
    if plain.startswith(TYPES):
        return None
    return refused(f"content type {plain if _PLAIN_TYPE.fullmatch(plain) else '?'}")


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Silence Pillow's warnings on odd files while threads examine them: what is wrong becomes a reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
