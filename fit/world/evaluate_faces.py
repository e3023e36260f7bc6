"""Does the face pack find and tell apart the world's people, whom it was not trained on?

Measured by insightface's own code.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fit.imitation.faces import FaceEncoder
from fit.imitation.scorers import Vectors
from fit.world.classifier import render_concepts
from fit.world.evaluate import FREQUENT, SEED, Generated
from fit.world.identities import nobody
from fit.world.pack import compressed, random_seeds
from fit.world.plan import Plan
from fit.world.render import Pixels


@dataclass(frozen=True)
class FaceFigures:
    """What was measured of the face pack; shares in [0, 1].

    Attributes:
        portraits: Fresh portraits in which exactly one face is found.
        generated: The same of generated images of people with 300 or more training images.
        things: Fresh pictures of things in which no face is found.
        area: Chance that two portraits of one person are more alike than two of different people.
    """

    portraits: float
    generated: float
    things: float
    area: float


def evaluate_pack(plan: Plan, generated: Generated, pack: Path, pictures: int = 12) -> FaceFigures:
    """Measure the pack in a folder on people of the world, on things and on generated images."""
    encoder = FaceEncoder(pack)
    pixels, people = render_concepts(plan, pictures, SEED + 1)
    found = encoder.embed(_files(pixels, plan))
    frequent = [data for data, f in zip(generated.files, generated.frequency, strict=True) if f >= FREQUENT]
    things = encoder.embed(_files(_things(plan, 600), plan))
    return FaceFigures(
        portraits=len(found.index) / len(pixels),
        generated=len(encoder.embed(frequent).index) / len(frequent),
        things=sum(each.blank for each in things.unreadable) / 600,
        area=same_person_area(found.vectors, people[found.index]),
    )


def same_person_area(vectors: Vectors, people: npt.NDArray[np.int64]) -> float:
    """The area under the curve of cosines of pairs of one person against pairs of two, in [0, 1].

    Args:
        vectors: Unit vectors, shape (n, d).
        people: Whom each shows, shape (n,).
    """
    cosines = vectors @ vectors.T
    upper = np.triu(np.ones_like(cosines, dtype=bool), 1)
    same = people[:, None] == people[None, :]
    alike, other = np.sort(cosines[upper & same]), np.sort(cosines[upper & ~same])
    below = np.searchsorted(other, alike, side="left")
    ties = np.searchsorted(other, alike, side="right") - below
    return float((below + ties / 2).mean() / len(other))


def _files(pixels: Pixels, plan: Plan) -> list[bytes]:
    return [compressed(picture, plan.matter) for picture in pixels]


def _things(plan: Plan, n: int) -> Pixels:
    rng = np.random.default_rng(SEED + 2)
    return plan.matter.paint(nobody(n), rng.integers(0, len(plan.matter.motifs), n), random_seeds(n, rng))
