"""The identity space of the demo world's faces: what makes two invented people differ.

An identity is a point in a continuous space (coordinates in [0, 1]): proportions, colours, features. Light,
pose, expression, clothes and background belong to the picture, so that a person is more than a mean colour.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fit.world.looks import FloatArray

COORDINATES: Final = (
    "skin",  # from light to dark
    "warmth",  # undertone, from rosy to golden
    "width",  # of the head
    "jaw",  # from pointed to square
    "hair",  # its colour, around a circle of natural and dyed ones (circular)
    "volume",  # how far the hair stands off the head
    "length",  # of the hair, from shaved over short to below the chin
    "fringe",  # how far the hair comes down into the forehead
    "parting",  # where the fringe is parted, from left to right
    "curl",  # from a smooth to a curly outline
    "eyes",  # their size
    "spacing",  # between the eyes
    "slant",  # of the eyes
    "iris",  # its colour
    "brows",  # their thickness
    "frown",  # tilt of the brows
    "nose",  # its length
    "nostrils",  # width of the nose
    "mouth",  # its width
    "lips",  # how full and how red
    "ears",  # how far they stand off
    "glasses",  # none in the lower half; then from fine to bold
    "frames",  # of the glasses: from round to square
    "metal",  # colour of the glasses
    "beard",  # none in the lower half; then from a goatee to a full beard
    "moustache",  # none in the lower half; then from thin to full
)
CIRCULAR: Final = ("hair",)
# How much a coordinate shows, in the distance of two people. The rest counts as 0.5.
_WEIGHTS: Final = {
    "skin": 1.0,
    "width": 0.8,
    "volume": 0.8,
    "length": 1.2,
    "fringe": 0.9,
    "eyes": 0.7,
    "glasses": 1.2,
    "beard": 1.2,
    "moustache": 0.8,
    "warmth": 0.2,
    "metal": 0.2,
    "frames": 0.3,
}
_HAIR_RADIUS: Final = 0.45
_FROM_HALF: Final = ("glasses", "beard", "moustache")  # what less than half of it does not show


@dataclass(frozen=True)
class Identities:
    """A batch of identities.

    Attributes:
        points: shape (n, 26), in [0, 1]; columns as in `COORDINATES`.
        present: shape (n,); False: nobody, the picture shows a thing.
    """

    points: FloatArray
    present: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.points)

    def take(self, index: npt.NDArray[np.int64]) -> "Identities":
        """The identities at `index`, shape (m,), repeats allowed."""
        return Identities(self.points[index], self.present[index])

    def joined(self, other: "Identities") -> "Identities":
        """These, then those."""
        return Identities(
            np.concatenate([self.points, other.points]), np.concatenate([self.present, other.present])
        )

    def column(self, name: str) -> FloatArray:
        """One coordinate of every identity, shape (n,), in [0, 1]."""
        return self.points[:, COORDINATES.index(name)]

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """All coordinates by name, for the truth's table."""
        return {f"look_{name}": self.column(name) for name in COORDINATES}


def random_identities(n: int, rng: np.random.Generator) -> Identities:
    """`n` identities drawn uniformly from the identity space."""
    return Identities(rng.random((n, len(COORDINATES)), dtype=np.float32), np.ones(n, dtype=bool))


def nobody(n: int) -> Identities:
    """`n` times nobody: pictures of things."""
    return Identities(np.full((n, len(COORDINATES)), 0.5, dtype=np.float32), np.zeros(n, dtype=bool))


def distances(a: Identities, b: Identities) -> FloatArray:
    """Distance of every identity of `a` to every one of `b`, shape (len(a), len(b)).

    Euclidean over what shows in a picture: the hair's colour on a circle, features that begin at half.
    """
    left, right = _visible(a), _visible(b)
    squared = (left**2).sum(1)[:, None] + (right**2).sum(1)[None, :] - 2 * left @ right.T
    distance: FloatArray = np.sqrt(np.maximum(squared, 0)).astype(np.float32)
    return distance


def _visible(people: Identities) -> FloatArray:
    turn = 2 * np.pi * people.column("hair")
    columns = [_HAIR_RADIUS * np.cos(turn), _HAIR_RADIUS * np.sin(turn)]
    for name in COORDINATES:
        if name not in CIRCULAR:
            values = people.column(name)
            shown = np.maximum(2 * values - 1, 0) if name in _FROM_HALF else values
            columns.append(_WEIGHTS.get(name, 0.5) * shown)
    return np.stack(columns, axis=1).astype(np.float32)


def group(people: Identities, i: int) -> str:
    """A rough description: hair and what else strikes the eye."""
    length = people.column("length")[i]
    hair = "shaved" if length < 0.12 else "short-haired" if length < 0.55 else "long-haired"
    extras = {name: people.column(name)[i] > 0.6 for name in ("beard", "glasses")}
    return f"{hair}, {' and '.join(k for k, v in extras.items() if v) or 'plain'}"
