"""Portraits of strangers: people at a distance from everybody in the world, and things.

The face pack is trained on them alone, so it judges the world's people as a stranger would.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fit.world.identities import Identities, nobody
from fit.world.matter import other_people
from fit.world.pack import random_seeds
from fit.world.plan import Plan
from fit.world.portraits import PLACES, FacePlaces, Portraits, locate, paint
from fit.world.render import Pixels


@dataclass(frozen=True)
class StrangersRecipe:
    """How many strangers, pictures of each, and pictures of things."""

    seed: int = 2423
    people: int = 2400
    pictures: int = 10
    things: int = 3000


@dataclass(frozen=True)
class Strangers:
    """Painted strangers.

    Attributes:
        pixels: shape (people, pictures, 64, 64, 3), 0-255.
        places: Where the faces are, picture by picture: boxes (people x pictures, 4), points (…, 5, 2).
        things: Pictures without a face, shape (things, 64, 64, 3).
    """

    pixels: Pixels
    places: FacePlaces
    things: Pixels

    @property
    def flat(self) -> Pixels:
        """The portraits, person by person, shape (people x pictures, 64, 64, 3)."""
        return self.pixels.reshape(-1, *self.pixels.shape[2:])


def paint_strangers(plan: Plan, recipe: StrangersRecipe) -> Strangers:
    """Paint people who keep the plan's margin to everybody in it, and things."""
    rng = np.random.default_rng(recipe.seed)
    known: Identities = plan.looks.take(np.arange(len(plan.concepts)))
    people = other_people(recipe.people, known, plan.recipe.margin, rng)
    portraits = _portraits(people.take(np.repeat(np.arange(recipe.people), recipe.pictures)), rng)
    pixels = paint(portraits)
    things = paint(_portraits(nobody(recipe.things), rng))
    return Strangers(
        pixels.reshape(recipe.people, recipe.pictures, *pixels.shape[1:]), locate(portraits), things
    )


def _portraits(people: Identities, rng: np.random.Generator) -> Portraits:
    places: npt.NDArray[np.int64] = rng.integers(0, len(PLACES), len(people))
    return Portraits(people, places, random_seeds(len(people), rng))
