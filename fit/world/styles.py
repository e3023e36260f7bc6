"""The style space of the demo world: what makes two invented artists differ.

A style is a point in a continuous space (thirteen coordinates in [0, 1]) and one of a few palettes.
Palettes are shared by many artists and every picture varies its colours, so that a style is more than its
mean colour.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fit.world.looks import FloatArray

COORDINATES: Final = (
    "angle",  # direction of the strokes, a half turn (circular)
    "wavelength",  # distance of the strokes, 4 to 10 pixels (logarithmic)
    "contrast",  # strength of the strokes
    "hardness",  # from soft waves to hard bars
    "waviness",  # how much the strokes meander
    "crossing",  # share of a second set of strokes across the first: hatching, then dots
    "ground",  # where the strokes lie: on the subject, everywhere, on the ground
    "outline",  # width of the subject's outline, 0 to 2.2 pixels
    "tone",  # the outline's tone, from black to white
    "scale",  # size of the subject in the picture
    "height",  # vertical place of the subject
    "tilt",  # how far the subject leans
    "frame",  # width of the painted margin, 0 to 4 pixels
)
CIRCULAR: Final = ("angle",)

# Five colours a palette (RGB, 0-255): ground, subject, strokes, accent, light. Our own choice of muted
# paint tones.
PALETTES: Final = np.array(
    [
        [(38, 70, 83), (233, 196, 106), (42, 157, 143), (231, 111, 81), (244, 236, 214)],
        [(61, 52, 139), (247, 184, 1), (118, 120, 237), (241, 91, 181), (240, 239, 244)],
        [(88, 47, 14), (166, 138, 100), (65, 72, 51), (182, 173, 144), (237, 224, 212)],
        [(0, 48, 73), (252, 191, 73), (214, 40, 40), (247, 127, 0), (234, 226, 183)],
        [(19, 111, 99), (244, 91, 105), (69, 105, 144), (228, 255, 178), (242, 244, 243)],
        [(53, 80, 112), (229, 107, 111), (109, 89, 122), (234, 172, 139), (250, 243, 221)],
        [(28, 28, 38), (200, 200, 192), (120, 20, 40), (110, 116, 128), (245, 243, 238)],
        [(32, 92, 64), (216, 226, 130), (14, 54, 78), (240, 150, 60), (246, 244, 226)],
    ],
    dtype=np.float32,
) / np.float32(255.0)


@dataclass(frozen=True)
class Styles:
    """A batch of styles.

    Attributes:
        points: shape (n, 13), in [0, 1]; columns as in `COORDINATES`.
        palettes: shape (n,), index into `PALETTES`.
    """

    points: FloatArray
    palettes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.palettes)

    def take(self, index: npt.NDArray[np.int64]) -> "Styles":
        """The styles at `index`, shape (m,), repeats allowed."""
        return Styles(self.points[index], self.palettes[index])

    def joined(self, other: "Styles") -> "Styles":
        """These, then those."""
        return Styles(
            np.concatenate([self.points, other.points]), np.concatenate([self.palettes, other.palettes])
        )

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """All coordinates by name, for the truth's table."""
        return {f"style_{name}": self.column(name) for name in COORDINATES} | {"palette": self.palettes}

    def column(self, name: str) -> FloatArray:
        """One coordinate of every style, shape (n,), in [0, 1]."""
        return self.points[:, COORDINATES.index(name)]


def random_styles(n: int, rng: np.random.Generator) -> Styles:
    """`n` styles drawn uniformly from the style space."""
    points = rng.random((n, len(COORDINATES)), dtype=np.float32)
    return Styles(points, rng.integers(0, len(PALETTES), n))


def distances(a: Styles, b: Styles) -> FloatArray:
    """Distance of every style of `a` to every style of `b`, shape (len(a), len(b)).

    Euclidean over what shows in a picture: circular coordinates on the circle, strokes weighted by their
    contrast, and a different palette as half a unit.
    """
    left, right = _visible(a), _visible(b)
    squared = (left**2).sum(1)[:, None] + (right**2).sum(1)[None, :] - 2 * left @ right.T
    other_palette = (a.palettes[:, None] != b.palettes[None, :]) * np.float32(0.25)
    distance: FloatArray = np.sqrt(np.maximum(squared, 0) + other_palette).astype(np.float32)
    return distance


def _visible(styles: Styles) -> FloatArray:
    turn = 2 * np.pi * styles.column("angle")
    weight = 0.5 + 0.5 * styles.column("contrast")
    columns = [weight * np.cos(turn) * 0.5, weight * np.sin(turn) * 0.5, weight * styles.column("wavelength")]
    columns += [styles.column(name) for name in COORDINATES if name not in ("angle", "wavelength")]
    return np.stack(columns, axis=1).astype(np.float32)


def school(styles: Styles, i: int) -> str:
    """A school by its brushwork: crossed or plain strokes, on the ground or on the subject."""
    strokes = "weavers" if styles.column("crossing")[i] > 0.5 else "liners"
    place = "ground" if styles.column("ground")[i] > 0.5 else "figure"
    return f"{place} {strokes}"
