"""Whether bytes are one whole image that may be decoded; bombs are refused before anything is decoded."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from corpus.fetch.outcomes import Picture, Refusal, Status
from corpus.fetch.pictures import examine, quiet_decoding, type_refusal
from corpus.fetch.policy import Limits
from tests.unit.corpus.fetch.site import animation, picture

LIMITS = Limits()


def reason(data: bytes, limits: Limits = LIMITS) -> str:
    found = examine(data, limits)
    assert isinstance(found, Refusal)
    assert found.status == Status.REFUSED
    return found.reason


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred kilobytes at most that claims any number of pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    lines = zlib.compress(b"\0" * 100_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif")]
)
def test_whole_images_keep_their_bytes(kind: str, suffix: str) -> None:
    data = picture(kind, (40, 30))
    assert examine(data, LIMITS) == Picture(data, suffix, 40, 30)


def test_a_cameras_second_picture_is_no_animation() -> None:
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "MPO", save_all=True, append_images=frames[1:])
    data = buffer.getvalue()
    assert examine(data, LIMITS) == Picture(data, ".jpg", 8, 6)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animations_are_refused(kind: str) -> None:
    assert reason(animation(kind)) == "animated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_images_that_are_cut_off_are_refused(kind: str, share: float) -> None:
    data = picture(kind, (200, 200))
    assert reason(data[: int(len(data) * share)]) in {"image damaged or cut off", "not an image"}


@pytest.mark.parametrize("data", [b"", b"<html><body>404</body></html>", b"\xff\xd8\xff", b"\0" * 5000])
def test_what_is_no_image(data: bytes) -> None:
    assert reason(data) in {"not an image", "image damaged or cut off"}


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM", "EPS", "PDF"])
def test_other_formats_never_reach_their_decoders(kind: str) -> None:
    assert reason(picture(kind)) == "not an image"


def test_pixels_are_limited() -> None:
    data = picture("PNG", (100, 50))
    assert isinstance(examine(data, Limits(image_pixels=5000)), Picture)
    assert reason(data, Limits(image_pixels=4999)) == "too many pixels"


@pytest.mark.parametrize("side", [30_000, 2**31 - 1])
def test_a_bomb_is_refused_before_it_is_decoded(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[int, int]] = []
    monkeypatch.setattr(Image.Image, "load", lambda self: loaded.append(self.size))
    data = bomb(side, side)
    assert len(data) < 200_000
    with quiet_decoding():
        assert reason(data) == "too many pixels"
    assert loaded == []


def test_content_types() -> None:
    taken = ["image/jpeg", "IMAGE/PNG; x=y", "application/octet-stream", "binary/octet-stream", None, ""]
    assert [type_refusal(kind) for kind in taken] == [None] * 6
    for kind in ("text/html", "application/json", "images/x", "x" * 100):
        assert type_refusal(kind) is not None
