"""Painting pictures: (style, subject, chance) -> 32 x 32 pixels, many at a time.

A picture is drawn at twice its size and averaged. All chance of a picture (colours, place, phase) comes
from its own seed, so that a picture is a pure function of style, subject and seed, in whatever batch it is
drawn.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fit.world.styles import PALETTES, Styles
from fit.world.subjects import SUBJECTS

SIZE: Final = 32
SAMPLES: Final = 2  # supersampling per axis
CHANCES: Final = 16  # uniform random numbers that a picture uses
KINDS: Final = tuple(SUBJECTS)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """What to paint: n styles, subjects and seeds.

    Attributes:
        styles: n styles.
        subjects: shape (n,), index into `KINDS`.
        seeds: shape (n,), unsigned 64-bit.
    """

    styles: Styles
    subjects: npt.NDArray[np.int64]
    seeds: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.subjects)


def paint(pictures: Pictures, batch: int = 512) -> Pixels:
    """Paint all pictures: shape (n, 32, 32, 3), 0-255."""
    order = np.argsort(pictures.subjects, kind="stable")
    out = np.empty((len(pictures), SIZE, SIZE, 3), dtype=np.uint8)
    for kind in np.unique(pictures.subjects):
        rows = order[pictures.subjects[order] == kind]
        for start in range(0, len(rows), batch):
            some = rows[start : start + batch]
            out[some] = _paint_kind(pictures.styles.take(some), KINDS[kind], pictures.seeds[some])
    return out


def uniforms(seeds: npt.NDArray[np.uint64], count: int) -> Tensor:
    """Uniform numbers of each seed, shape (n, count), by the splitmix64 generator (Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        step = np.uint64(0x9E3779B97F4A7C15) * np.arange(1, count + 1, dtype=np.uint64)
        z = seeds[:, None] + step[None, :]
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return torch.from_numpy((z >> np.uint64(40)).astype(np.float32) / np.float32(2**24))


def _paint_kind(styles: Styles, kind: str, seeds: npt.NDArray[np.uint64]) -> Pixels:
    chance = uniforms(seeds, CHANCES)
    grid = (torch.arange(SIZE * SAMPLES) + 0.5) / (SIZE * SAMPLES) * 2 - 1
    x, y = grid[None, None, :], -grid[None, :, None]
    distance = _subject(styles, kind, chance, x, y)
    strokes = _strokes(styles, chance, x, y)
    image = _colour(styles, chance, distance, strokes, x, y)
    image = torch.nn.functional.avg_pool2d(image, SAMPLES)
    return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def _style(styles: Styles, name: str) -> Tensor:
    return torch.from_numpy(styles.column(name).copy())[:, None, None]


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None]


def _subject(styles: Styles, kind: str, chance: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Signed distance to the subject in half pictures, shape (n, 64, 64)."""
    scale = (0.42 + 0.42 * _style(styles, "scale")) * (0.92 + 0.16 * _wide(chance[:, 0]))
    left = 0.3 * (_wide(chance[:, 1]) - 0.5)
    up = 0.7 * (_style(styles, "height") - 0.5) + 0.12 * (_wide(chance[:, 2]) - 0.5)
    lean = 1.3 * (_style(styles, "tilt") - 0.5) + 0.15 * (_wide(chance[:, 3]) - 0.5)
    mirror = torch.where(_wide(chance[:, 4]) < 0.5, -1.0, 1.0)
    u, v = (x - left) / scale, (y - up) / scale
    cos, sin = torch.cos(lean), torch.sin(lean)
    return SUBJECTS[kind]((cos * u + sin * v) * mirror, -sin * u + cos * v) * scale


def _strokes(styles: Styles, chance: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The stroke pattern in [-1, 1], shape (n, 64, 64)."""
    angle = torch.pi * _style(styles, "angle") + 0.12 * (_wide(chance[:, 5]) - 0.5)
    pixels = 4.0 * (10.0 / 4.0) ** _style(styles, "wavelength")
    frequency = 2 * torch.pi * (SIZE / 2) / pixels
    along = torch.cos(angle) * x + torch.sin(angle) * y
    across = -torch.sin(angle) * x + torch.cos(angle) * y
    phase, other = 2 * torch.pi * _wide(chance[:, 6]), 2 * torch.pi * _wide(chance[:, 7])
    warp = 2.2 * _style(styles, "waviness") ** 1.5 * torch.sin(4.5 * across + other)
    first = torch.sin(frequency * along + phase + warp)
    second = torch.sin(frequency * across + other)
    wave = first + _style(styles, "crossing") * second
    return torch.tanh(wave * (0.9 + 4 * _style(styles, "hardness") ** 2))


def _colour(
    styles: Styles, chance: Tensor, distance: Tensor, strokes: Tensor, x: Tensor, y: Tensor
) -> Tensor:
    """Mix ground, subject, strokes, outline and margin: shape (n, 3, 64, 64), about [0, 1]."""
    ground, subject, ink, margin = _picture_palette(styles, chance)
    soft = 1.5 / SIZE
    inside = torch.sigmoid(-distance / soft * 2.5)[:, None]
    share = _style(styles, "ground")
    on_ground, on_subject = (1.6 * share).clamp(max=1)[:, None], (1.6 * (1 - share)).clamp(max=1)[:, None]
    strength = (0.4 + 0.6 * _style(styles, "contrast"))[:, None] * (
        inside * on_subject + (1 - inside) * on_ground
    )
    image = ground * (1 - inside) + subject * inside
    mask = strength * (0.5 + 0.5 * strokes[:, None])
    image = image * (1 - mask) + ink * mask
    width = 2.2 * _style(styles, "outline") / SIZE
    line = torch.sigmoid((width - distance.abs()) / soft * 5) * (width * SIZE / 0.6).clamp(max=1)
    image = image * (1 - line[:, None]) + _style(styles, "tone")[:, None] * line[:, None]
    border = torch.maximum(x.abs(), y.abs()).expand(len(distance), -1, -1)
    rim = torch.sigmoid((border - 1 + 8 * _style(styles, "frame") / SIZE) * 2 * SIZE)
    rim = rim * (_style(styles, "frame") > 0.08)
    return image * (1 - rim[:, None]) + margin * rim[:, None]


def _picture_palette(styles: Styles, chance: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Ground, subject, stroke and margin colours, each (n, 3, 1, 1).

    The palette, its roles and tones varied.
    """
    colours = torch.from_numpy(PALETTES[styles.palettes].copy())
    first = (chance[:, 8] * 5).long().clamp(max=4)
    hop = 1 + (chance[:, 9] * 4).long().clamp(max=3)
    rows = torch.arange(len(colours))
    ground, subject = colours[rows, first], colours[rows, (first + hop) % 5]
    rest = torch.stack([colours[rows, (first + hop * i) % 5] for i in (2, 3, 4)], dim=1)
    # Strokes take the colour that stands out most from what they lie on, or they would not show.
    clash = (rest.mean(2) - ground.mean(1, keepdim=True)).abs() + (
        rest.mean(2) - subject.mean(1, keepdim=True)
    ).abs()
    pick = clash.argmax(1)
    roles = [ground, subject, rest[rows, pick], rest[rows, (pick + 1) % 3]]
    tint = 0.24 * (chance[:, 10:13] - 0.5)
    light = 0.8 + 0.4 * chance[:, 13:14]
    grey = 0.35 * chance[:, 14:15]
    toned = [(c * (1 - grey) + c.mean(1, keepdim=True) * grey) * light + tint for c in roles]
    a, b, c, d = (t.clamp(0, 1)[:, :, None, None] for t in toned)
    return a, b, c, d
