"""From bytes to pixels: orientation, order, threads, and files that are meant to hurt."""

from __future__ import annotations

import io
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from fit.imitation.decoding import decode, decoded, embed_in_batches
from tests.unit.imitation.pictures import encoded, picture


def with_exif(image: Image.Image, orientation: int, kind: str = "PNG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, kind, exif=exif)


def pixels(found: Image.Image | str) -> np.ndarray:
    assert isinstance(found, Image.Image), found
    return np.asarray(found)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_as_pillow_turns_them(orientation: int) -> None:
    data = with_exif(picture(1), orientation)
    with Image.open(io.BytesIO(data)) as image:
        wanted = ImageOps.exif_transpose(image).convert("RGB")
    np.testing.assert_array_equal(pixels(decode(data)), np.asarray(wanted))
    if orientation == 6:  # to be turned right by 90 degrees: 40 x 30 is upright at 30 x 40
        assert pixels(decode(data)).shape == (40, 30, 3)


@pytest.mark.parametrize("orientation", [0, 9, 4000])
def test_an_orientation_that_is_none_turns_nothing(orientation: int) -> None:
    np.testing.assert_array_equal(pixels(decode(with_exif(picture(1), orientation))), np.asarray(picture(1)))


def test_damaged_exif_costs_no_image() -> None:
    data = with_exif(picture(1), 6, "JPEG")
    damaged = bytearray(data)
    place = data.index(b"Exif\0\0") + 6
    damaged[place : place + 20] = b"\xff" * 20
    assert pixels(decode(bytes(damaged))).shape == (30, 40, 3)


def bomb(side: int) -> bytes:
    """A PNG that promises a square of this side, and a few kilobytes of zeros for it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_bomb_of_40_000_by_40_000_pixels_is_not_decoded() -> None:
    found = decode(bomb(40_000))
    assert isinstance(found, str)
    assert found.startswith("not a readable image (Image size (1600000000 pixels) exceeds limit")
    assert decode(bomb(9000)) == "image of 9000 x 9000 pixels, more than 8192 a side"


def test_reasons_are_the_same_in_every_run() -> None:
    # Pillow's own message holds an address in memory.
    assert decode(b"<html>") == "not a readable image (of no format that is read: PNG, JPEG, WebP, GIF, BMP)"


def test_images_come_in_order_and_not_too_far_ahead() -> None:
    images = [encoded(picture(seed)) if seed % 3 else b"" for seed in range(40)]
    made, lock, most = [0], threading.Lock(), 0

    def prepare(image: Image.Image) -> int:
        with lock:
            made[0] += 1
        return image.width

    for place, (number, found) in enumerate(decoded(images, prepare, ahead=5)):
        assert number == place
        assert found == 40 if place % 3 else isinstance(found, str)
        most = max(most, made[0] - sum(1 for i in range(place + 1) if i % 3))
    assert made[0] == 26
    assert most <= 5


def test_images_of_which_the_network_makes_nothing_are_told() -> None:
    def forward(batch: np.ndarray) -> np.ndarray:
        vectors = np.ones((len(batch), 2), np.float32)
        vectors[batch[:, 0, 0, 0] == 1] = 0
        vectors[batch[:, 0, 0, 0] == 2] = np.nan
        return vectors

    images = [encoded(Image.new("RGB", (2, 2), (n, 0, 0))) for n in (0, 1, 3, 2)] + [b""]
    found = embed_in_batches(images, np.asarray, forward, 2, batch=3)
    assert found.index.tolist() == [0, 2]
    assert [(each.index, each.reason) for each in found.unreadable][:2] == [
        (1, "the scorer makes no vector of it"),
        (3, "the scorer makes no vector of it"),
    ]
    assert found.unreadable[2].index == 4
