"""Copies of a picture are found, other pictures are not, and how often the latter goes wrong is told."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from fit.imitation.copies import LookAlikes, look_alikes, picture_numbers, same_pictures


def scene(seed: int, size: tuple[int, int] = (240, 180)) -> Image.Image:
    """A picture of soft shapes, different for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    fine = rng.normal(0, 12, (size[1], size[0], 3))
    pixels = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)) + fine
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def moved(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.roll(np.asarray(image), (4, 5), axis=(0, 1)))


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "other format": lambda image: encoded(image, "PNG"),
    "compressed": lambda image: encoded(image, quality=25),
    "halved": lambda image: encoded(image.resize((120, 90)), quality=60),
    "squeezed": lambda image: encoded(image.resize((128, 128))),
    "brighter": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.15)),
    "paler": lambda image: encoded(ImageEnhance.Contrast(image).enhance(0.7)),
    "grey": lambda image: encoded(ImageOps.grayscale(image)),
    "moved": lambda image: encoded(moved(image)),
}


@pytest.mark.parametrize("change", COPIES)
def test_copies_are_the_same_picture(change: str) -> None:
    images = [encoded(scene(seed)) for seed in range(12)]
    copies = [COPIES[change](scene(seed)) for seed in range(12)]
    assert picture_numbers([*images, *copies]).tolist() == [*range(12), *range(12)]


def test_other_pictures_are_other_pictures() -> None:
    assert len(same_pictures([encoded(scene(seed)) for seed in range(200)])) == 0


@pytest.mark.parametrize(
    "change",
    [ImageOps.mirror, ImageOps.flip, lambda image: image.crop((40, 30, 200, 150)), ImageOps.invert],
    ids=["mirrored", "upside down", "cropped by a third", "inverted"],
)
def test_what_is_not_taken_for_a_copy(change: Callable[[Image.Image], Image.Image]) -> None:
    assert len(same_pictures([encoded(scene(1)), encoded(change(scene(1)))])) == 0


def test_copies_of_copies_are_one_picture() -> None:
    # Each step is small; first and last, 12 % apart, would not be found by themselves.
    steps = [np.roll(np.asarray(scene(3)), 7 * step, axis=0) for step in range(4)]
    images = [encoded(Image.fromarray(pixels)) for pixels in steps]
    assert len(same_pictures([images[0], images[3]])) == 0
    assert picture_numbers([encoded(scene(9)), *images]).tolist() == [0, 1, 1, 1, 1]


def test_numbers_follow_the_order_of_the_images() -> None:
    a, b, c = (encoded(scene(seed)) for seed in range(3))
    assert picture_numbers([c, a, c, b, a]).tolist() == [0, 1, 0, 2, 1]
    assert picture_numbers([]).tolist() == []
    assert picture_numbers([a]).tolist() == [0]


def test_what_cannot_be_decoded_and_blank_pictures_are_pictures_of_their_own() -> None:
    blank = encoded(Image.new("RGB", (50, 50), "white"), "PNG")
    assert picture_numbers([b"rubbish", blank, b"rubbish", blank, b""]).tolist() == [0, 1, 2, 3, 4]


def test_look_alikes_among_references() -> None:
    ada = [encoded(scene(seed)) for seed in (0, 1, 2)]
    bo = [encoded(scene(7)), encoded(scene(7), quality=30), encoded(scene(8)), encoded(scene(9))]
    # 3 pairs of Ada, 6 of Bo, one of which is the same; Cy has one reference and so no pair.
    assert look_alikes([ada, bo, ada[:1], []]) == LookAlikes(found=1, pairs=9)
    assert LookAlikes(1, 9).rate == pytest.approx(1 / 9)
    assert look_alikes([]).rate == 0


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [encoded(scene(seed % 20), quality=40 + seed) for seed in range(50)]
    whole = picture_numbers(images).tolist()
    monkeypatch.setattr("fit.imitation.copies._BLOCK", 7)
    monkeypatch.setattr("fit.imitation.copies._PAIRS", 3)
    assert picture_numbers(images).tolist() == whole == [seed % 20 for seed in range(50)]
