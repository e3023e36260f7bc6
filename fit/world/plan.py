"""The plan of the demo world: who looks how, how often, and what the captions say.

Everything here is the planted truth.

A plan is drawn from one seed before any pixel is painted; painting, packing and training only carry it out.
"""

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fit.world.looks import Looks, spread
from fit.world.matter import FACES, STYLES, Matter
from fit.world.names import InventedName, invent_names, misspelt

HIT: Final = "hit"  # the caption names the concept and the image shows it
MISS: Final = "miss"  # the caption names the concept, the image shows something else
UNNAMED: Final = "unnamed"  # the image shows the concept, the caption does not name it
UNRELATED: Final = "unrelated"  # neither; the link is dead and the model never saw it


@dataclass(frozen=True)
class Recipe:
    """The numbers that make the world. Counts are rows or images; shares are in [0, 1]."""

    seed: int = 2410
    concepts: int = 130
    without: int = 16  # concepts with no training image
    most: int = 1000  # training images of the most frequent concept
    rows: int = 210_000
    caption_shards: int = 8
    image_shards: int = 5
    references: int = 24  # per concept
    miss_share: tuple[float, float] = (0.04, 0.32)  # of a concept's captions, drawn per concept
    unnamed_share: float = 0.10  # at most, of a concept's training images
    duplicate_share: float = 0.30  # at most, of a concept's training images
    margin: float = 0.45  # least distance of any other look to a concept's


RECIPES: Final = {
    STYLES.name: Recipe(),
    FACES.name: Recipe(
        seed=2420, concepts=80, without=12, rows=60_000, caption_shards=4, image_shards=4, margin=0.6
    ),
}


@dataclass(frozen=True)
class Planted:
    """One invented concept, as it is asked for; what came of it the rows say (`planted`).

    `frequency`: training images that show its look and whose caption names it.
    """

    name: InventedName
    look: int
    group: str
    frequency: int
    misses: int
    unnamed: int
    duplicates: int


@dataclass(frozen=True)
class Row:
    """One row of the caption corpus and, unless unrelated, the picture behind its link."""

    kind: str
    caption: str
    concept: int = -1  # whom the row is about
    look: int = -1  # index into `Plan.looks`
    motif: int = -1
    picture: int = -1  # number of the picture: rows that share a link share it
    seed: int = 0
    copy: int = 0  # 0: the original; n > 0: the n-th near-duplicate


@dataclass(frozen=True)
class Plan:
    """The world before it is painted.

    `looks`: the concepts' first, then one for each picture of something else.
    """

    matter: Matter
    recipe: Recipe
    concepts: tuple[Planted, ...]
    looks: Any
    rows: tuple[Row, ...] = field(repr=False)


def draw_plan(recipe: Recipe = Recipe(), matter: Matter = STYLES) -> Plan:
    """Draw the whole world from the recipe's seed."""
    rng = np.random.default_rng(recipe.seed)
    looks = spread(recipe.concepts, matter.random(50 * recipe.concepts, rng), matter.distance)
    concepts = _concepts(recipe, matter, looks, rng)
    writer = _Writer(_phrases(matter), rng)
    rows: list[Row] = []
    for number, concept in enumerate(concepts):
        rows += _rows_of(number, concept, writer, (matter, rng))
    misses = [i for i, row in enumerate(rows) if row.kind == MISS]
    others = matter.misses(len(misses), looks, recipe.margin, rng)
    for look, i in enumerate(misses, start=len(looks)):
        rows[i] = Row(**{**_fields(rows[i]), "look": look})
    rows = _with_pictures(rows, rng)
    rows += [Row(UNRELATED, writer.unrelated(concepts)) for _ in range(recipe.rows - len(rows))]
    order = rng.permutation(len(rows))
    return Plan(matter, recipe, concepts, looks.joined(others), tuple(rows[i] for i in order))


def _fields(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.__dataclass_fields__}


def _concepts(recipe: Recipe, matter: Matter, looks: Looks, rng: np.random.Generator) -> tuple[Planted, ...]:
    """Frequencies log-uniform from 1 to `most` (stratified), given to the looks in random order."""
    shown = recipe.concepts - recipe.without
    ranks = (np.arange(shown) + rng.random(shown)) / shown
    frequencies = np.concatenate([np.zeros(recipe.without), np.round(recipe.most**ranks)]).astype(int)
    rng.shuffle(frequencies)
    names = invent_names(recipe.concepts, rng)
    return tuple(
        _concept(recipe, (i, names[i], matter.group(looks, i)), int(frequencies[i]), rng)
        for i in range(recipe.concepts)
    )


def _concept(recipe: Recipe, who: tuple[int, InventedName, str], f: int, rng: np.random.Generator) -> Planted:
    share = rng.uniform(*recipe.miss_share)
    misses = round(f * share / (1 - share)) if f else int(rng.integers(0, 16)) * int(rng.random() < 0.5)
    look, name, group = who
    return Planted(
        name=name,
        look=look,
        group=group,
        frequency=f,
        misses=misses,
        unnamed=int(f * rng.uniform(0, recipe.unnamed_share)),
        duplicates=int(f * rng.uniform(0, recipe.duplicate_share)),
    )


def _rows_of(
    number: int, concept: Planted, writer: "_Writer", how: tuple[Matter, np.random.Generator]
) -> list[Row]:
    matter, rng = how
    kinds = [HIT] * concept.frequency + [MISS] * concept.misses + [UNNAMED] * concept.unnamed
    rows: list[Row] = []
    originals = concept.frequency - concept.duplicates
    for i, asked in enumerate(kinds):
        motif = int(rng.integers(len(matter.motifs)))
        seed = int(rng.integers(2**63))
        if originals <= i < concept.frequency:  # a near-duplicate of an original of this concept
            first = rows[int(rng.integers(originals))]
            motif, seed = first.motif, first.seed
        copy = i - originals + 1 if originals <= i < concept.frequency else 0
        caption = writer.caption(asked, concept.name, matter.motifs[motif])
        # A doubled hyphen misspells nothing by the rules of counting.
        kind = HIT if asked == UNNAMED and concept.name.stands_in(caption) else asked
        rows.append(Row(kind, caption, number, concept.look, motif, seed=seed, copy=copy))
    return rows


def _with_pictures(rows: list[Row], rng: np.random.Generator) -> list[Row]:
    """Number the pictures: one per row, but one near-duplicate in five is the very same link again."""
    pictures: dict[tuple[int, int], int] = {}
    out: list[Row] = []
    for row in rows:
        again = row.copy > 0 and rng.random() < 0.2
        copy = 0 if again else row.copy
        number = pictures[(row.concept, row.seed)] if again else len(out)
        if row.copy == 0:
            pictures[(row.concept, row.seed)] = number
        out.append(Row(**{**_fields(row), "picture": number, "copy": copy}))
    return out


class _Writer:
    """Writes captions from the phrase lists."""

    def __init__(self, phrases: dict[str, list[str]], rng: np.random.Generator) -> None:
        self.phrases, self.rng = phrases, rng

    def _one(self, kind: str) -> str:
        choices = self.phrases[kind]
        return choices[int(self.rng.integers(len(choices)))]

    def caption(self, kind: str, name: InventedName, what: str) -> str:
        """A caption of a picture: `what` is its motif."""
        if kind == UNNAMED and self.rng.random() < 0.5:
            return self._one("named").format(who=misspelt(name.name, self.rng), what=what)
        if kind == UNNAMED:
            return self._one("unnamed").format(what=what)
        return self._one("named" if kind == HIT else "elsewhere").format(who=self._called(name), what=what)

    def _called(self, name: InventedName) -> str:
        """The name as people write it: mostly whole, sometimes an alias, other case or other separators."""
        chance = self.rng.random()
        if name.aliases and chance < 0.15:
            return name.aliases[int(self.rng.integers(len(name.aliases)))]
        if chance < 0.25:
            return name.name.lower()
        if chance < 0.29:
            return name.name.replace(" ", "-")
        if chance < 0.31:
            return name.name.upper()
        return name.name

    def unrelated(self, concepts: tuple[Planted, ...]) -> str:
        """A caption about nobody; one in fifty holds one word of some concept's name.

        Alone or inside another word.
        """
        text = self._one("unrelated").format(a=self._one("a"), b=self._one("b"), c=self._one("c"))
        if self.rng.random() < 0.02:
            word = concepts[int(self.rng.integers(len(concepts)))].name.name.split()[0]
            text = f"{text} {word if self.rng.random() < 0.5 else word.lower() + 'esque'}"
        return text


def _phrases(matter: Matter) -> dict[str, list[str]]:
    phrases: dict[str, list[str]] = {}
    for name in matter.phrases:
        source = resources.files("fit.world") / name
        phrases |= tomllib.loads(source.read_text(encoding="utf-8"))
    return phrases


def planted(plan: Plan, kind: str) -> npt.NDArray[np.int64]:
    """Rows of a kind that are about each concept, shape (n,)."""
    counts = np.zeros(len(plan.concepts), dtype=np.int64)
    for row in plan.rows:
        if row.kind == kind:
            counts[row.concept] += 1
    return counts


def planted_frequencies(plan: Plan) -> npt.NDArray[np.int64]:
    """The truth that counting should find.

    Training images of each concept whose caption names it, shape (n,).
    """
    return planted(plan, HIT)
