"""Images inside the page: as `data:` addresses, and only formats that can carry no script."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from fit.report.flags import told
from fit.report.inputs import Strip
from fit.report.names import shown
from fit.report.numbers import finite
from fit.report.tallies import VERDICTS

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


_FEW_PIXELS = 96


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a `data:` address; one of few pixels is enlarged without blurring them."""

    address: str
    few_pixels: bool


@dataclass(frozen=True, slots=True)
class StripFact:
    """Pictures of one concept, generated and references; `number` is its place among the report's points."""

    number: int | None
    concept: str
    frequency: float | None
    score: float | None
    verdict: str
    flags: str
    generated: tuple[Picture, ...]
    references: tuple[Picture, ...]


def strip_facts(strips: tuple[Strip, ...], numbers: Mapping[str, int]) -> tuple[StripFact, ...]:
    """The strips from the rarest concept to the most frequent, concepts of unknown frequency last.

    Args:
        strips: the pictures.
        numbers: concept -> its place among the report's points.
    """
    ordered = sorted(strips, key=lambda strip: (_frequency_order(strip), strip.concept))
    return tuple(
        StripFact(
            number=numbers.get(strip.concept),
            concept=shown(strip.concept),
            frequency=finite(strip.frequency),
            score=finite(strip.score),
            verdict=VERDICTS[strip.verdict],
            flags=told(strip.flags),
            generated=tuple(_picture(image) for image in strip.generated),
            references=tuple(_picture(image) for image in strip.references),
        )
        for strip in ordered
    )


def data_address(image: bytes) -> str:
    """The image as a `data:` address.

    Raises:
        ValueError: the bytes are no PNG, JPEG, GIF or WebP (SVG, which can carry scripts, is refused).
    """
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        kind = "image/webp"
    else:
        kind = next((kind for signature, kind in _SIGNATURES if image.startswith(signature)), "")
    if not kind:
        raise ValueError(f"picture: {image[:8]!r} begins no PNG, JPEG, GIF or WebP")
    return f"data:{kind};base64,{base64.b64encode(image).decode('ascii')}"


def _frequency_order(strip: Strip) -> float:
    frequency = finite(strip.frequency)
    return float("inf") if frequency is None else frequency


def _picture(image: bytes) -> Picture:
    # A PNG tells its width in bytes 16 to 20; other formats are used for photographs, which may be smoothed.
    width = int.from_bytes(image[16:20], "big") if image.startswith(_SIGNATURES[0][0]) else _FEW_PIXELS + 1
    return Picture(data_address(image), width <= _FEW_PIXELS)
