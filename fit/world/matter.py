"""What a world is about: the looks of its concepts, how they are painted, and the words of its captions.

Two worlds are made by one recipe: pictures in invented styles, and portraits of invented people.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fit.world import identities, portraits, render, styles
from fit.world.identities import Identities
from fit.world.looks import FloatArray, far_from
from fit.world.portraits import Portraits
from fit.world.render import Pictures, Pixels
from fit.world.styles import Styles

Motifs = npt.NDArray[np.int64]
Seeds = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Matter:
    """What a world is about. `Any` stands for the batch of looks that it is about: styles or identities.

    Attributes:
        name: Of the world: its folder in the data folder, its corpus and its model.
        concepts: The concept list that it makes, ``<domain>/<set>``.
        noun: One concept, as in "an artist".
        noun_plural: Several of them.
        truth: File of the planted concepts, below `truth/`.
        phrases: Files of caption words; a later one replaces what it names.
        motifs: What else a picture shows and its caption names: subjects, places.
        size: Side of the pictures in pixels.
        image_format: As Pillow names it.
        quality: Of the compressed pictures, and of near-duplicates.
        random: `n` looks, drawn uniformly.
        distance: Of every look of a batch to every one of another.
        misses: `n` looks of no concept of the world, at least `margin` away from the concepts'.
        group: What kind of look the i-th is.
        paint: Looks, motifs and seeds as pixels (n, size, size, 3).
    """

    name: str
    concepts: str
    noun: str
    noun_plural: str
    truth: str
    phrases: tuple[str, ...]
    motifs: tuple[str, ...]
    size: int
    image_format: str
    quality: tuple[int, int]
    random: Callable[[int, np.random.Generator], Any]
    distance: Callable[[Any, Any], FloatArray]
    misses: Callable[[int, Any, float, np.random.Generator], Any]
    group: Callable[[Any, int], str]
    paint: Callable[[Any, Motifs, Seeds], Pixels]

    @property
    def domain(self) -> str:
        """The domain of its concepts."""
        return self.concepts.partition("/")[0]


def _paint_style(looks: Styles, motifs: Motifs, seeds: Seeds) -> Pixels:
    return render.paint(Pictures(looks, motifs, seeds))


def _paint_people(looks: Identities, motifs: Motifs, seeds: Seeds) -> Pixels:
    return portraits.paint(Portraits(looks, motifs, seeds))


def other_styles(n: int, chosen: Styles, margin: float, rng: np.random.Generator) -> Styles:
    """`n` random styles, none nearer than `margin` to a chosen one."""
    return far_from(n, styles.random_styles(4 * n, rng), chosen, margin, styles.distances)


def other_people(n: int, chosen: Identities, margin: float, rng: np.random.Generator) -> Identities:
    """`n` random identities, none nearer than `margin` to a chosen one."""
    return far_from(n, identities.random_identities(4 * n, rng), chosen, margin, identities.distances)


def _people_or_things(n: int, chosen: Identities, margin: float, rng: np.random.Generator) -> Identities:
    """Other people, and in two of five pictures nobody."""
    people = other_people(n, chosen, margin, rng)
    return Identities(people.points, rng.random(n) >= 0.4)


STYLES: Final = Matter(
    name="demo",
    concepts="art-styles/demo",
    noun="artist",
    noun_plural="artists",
    truth="artists.parquet",
    phrases=("phrases.toml",),
    motifs=render.KINDS,
    size=render.SIZE,
    image_format="JPEG",
    quality=(88, 80),
    random=styles.random_styles,
    distance=styles.distances,
    misses=other_styles,
    group=styles.school,
    paint=_paint_style,
)

FACES: Final = Matter(
    name="demo-faces",
    concepts="faces/demo",
    noun="person",
    noun_plural="people",
    truth="people.parquet",
    phrases=("phrases.toml", "phrases_faces.toml"),
    motifs=portraits.PLACES,
    size=portraits.SIZE,
    image_format="WEBP",
    quality=(84, 70),
    random=identities.random_identities,
    distance=identities.distances,
    misses=_people_or_things,
    group=identities.group,
    paint=_paint_people,
)
