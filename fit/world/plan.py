"""The plan of the demo world: who paints what, how often, and what the captions say.

Everything here is the planted truth.

A plan is drawn from one seed before any pixel is painted; painting, packing and training only carry it out.
"""

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fit.world.names import ArtistName, invent_names, misspelt
from fit.world.render import KINDS
from fit.world.styles import Styles, other_styles, random_styles, spread_styles

HIT: Final = "hit"  # the caption names the artist and the image shows the artist's style
MISS: Final = "miss"  # the caption names the artist, the image shows something else
UNNAMED: Final = "unnamed"  # the image shows the artist's style, the caption does not name the artist
UNRELATED: Final = "unrelated"  # neither; the link is dead and the model never saw it


@dataclass(frozen=True)
class Recipe:
    """The numbers that make the world. Counts are rows or images; shares are in [0, 1]."""

    seed: int = 2410
    artists: int = 130
    without: int = 16  # artists with no training image
    most: int = 1000  # training images of the most frequent artist
    rows: int = 210_000
    caption_shards: int = 8
    image_shards: int = 5
    references: int = 24  # per artist
    miss_share: tuple[float, float] = (0.04, 0.32)  # of an artist's captions, drawn per artist
    unnamed_share: float = 0.10  # at most, of an artist's training images
    duplicate_share: float = 0.30  # at most, of an artist's training images
    margin: float = 0.45  # least distance of any other style to an artist's


@dataclass(frozen=True)
class Artist:
    """One invented artist. `frequency`.

    Training images that show the style and whose caption names the artist.
    """

    name: ArtistName
    style: int
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
    artist: int = -1  # whom the row is about
    style: int = -1  # index into `Plan.styles`
    subject: int = -1
    picture: int = -1  # number of the picture: rows that share a link share it
    seed: int = 0
    copy: int = 0  # 0: the original; n > 0: the n-th near-duplicate


@dataclass(frozen=True)
class Plan:
    """The world before it is painted.

    `styles`: the artists' first, then one for each picture of something else.
    """

    recipe: Recipe
    artists: tuple[Artist, ...]
    styles: Styles
    rows: tuple[Row, ...] = field(repr=False)


def draw_plan(recipe: Recipe = Recipe()) -> Plan:
    """Draw the whole world from the recipe's seed."""
    rng = np.random.default_rng(recipe.seed)
    styles = spread_styles(recipe.artists, random_styles(50 * recipe.artists, rng))
    artists = _artists(recipe, styles, rng)
    writer = _Writer(_phrases(), rng)
    rows: list[Row] = []
    for number, artist in enumerate(artists):
        rows += _rows_of(number, artist, writer, rng)
    misses = [i for i, row in enumerate(rows) if row.kind == MISS]
    others = other_styles(len(misses), styles, recipe.margin, rng)
    for style, i in enumerate(misses, start=len(styles)):
        rows[i] = Row(**{**_fields(rows[i]), "style": style})
    rows = _with_pictures(rows, rng)
    rows += [Row(UNRELATED, writer.unrelated(artists)) for _ in range(recipe.rows - len(rows))]
    order = rng.permutation(len(rows))
    both = Styles(
        np.concatenate([styles.points, others.points]), np.concatenate([styles.palettes, others.palettes])
    )
    return Plan(recipe, artists, both, tuple(rows[i] for i in order))


def _fields(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.__dataclass_fields__}


def _artists(recipe: Recipe, styles: Styles, rng: np.random.Generator) -> tuple[Artist, ...]:
    """Frequencies log-uniform from 1 to `most` (stratified), given to the styles in random order."""
    painted = recipe.artists - recipe.without
    ranks = (np.arange(painted) + rng.random(painted)) / painted
    frequencies = np.concatenate([np.zeros(recipe.without), np.round(recipe.most**ranks)]).astype(int)
    rng.shuffle(frequencies)
    names = invent_names(recipe.artists, rng)
    return tuple(
        _artist(recipe, i, int(frequencies[i]), names[i], styles, rng) for i in range(recipe.artists)
    )


def _artist(
    recipe: Recipe, i: int, f: int, name: ArtistName, styles: Styles, rng: np.random.Generator
) -> Artist:
    share = rng.uniform(*recipe.miss_share)
    misses = round(f * share / (1 - share)) if f else int(rng.integers(0, 16)) * int(rng.random() < 0.5)
    return Artist(
        name=name,
        style=i,
        group=_group(styles, i),
        frequency=f,
        misses=misses,
        unnamed=int(f * rng.uniform(0, recipe.unnamed_share)),
        duplicates=int(f * rng.uniform(0, recipe.duplicate_share)),
    )


def _group(styles: Styles, i: int) -> str:
    """A school by its brushwork: crossed or plain strokes, on the ground or on the subject."""
    strokes = "weavers" if styles.column("crossing")[i] > 0.5 else "liners"
    place = "ground" if styles.column("ground")[i] > 0.5 else "figure"
    return f"{place} {strokes}"


def _rows_of(number: int, artist: Artist, writer: "_Writer", rng: np.random.Generator) -> list[Row]:
    kinds = [HIT] * artist.frequency + [MISS] * artist.misses + [UNNAMED] * artist.unnamed
    rows: list[Row] = []
    originals = artist.frequency - artist.duplicates
    for i, kind in enumerate(kinds):
        subject = int(rng.integers(len(KINDS)))
        seed = int(rng.integers(2**63))
        if originals <= i < artist.frequency:  # a near-duplicate of an original of this artist
            first = rows[int(rng.integers(originals))]
            subject, seed = first.subject, first.seed
        copy = i - originals + 1 if originals <= i < artist.frequency else 0
        caption = writer.caption(kind, artist.name, KINDS[subject])
        rows.append(Row(kind, caption, number, artist.style, subject, seed=seed, copy=copy))
    return rows


def _with_pictures(rows: list[Row], rng: np.random.Generator) -> list[Row]:
    """Number the pictures: one per row, but one near-duplicate in five is the very same link again."""
    pictures: dict[tuple[int, int], int] = {}
    out: list[Row] = []
    for row in rows:
        again = row.copy > 0 and rng.random() < 0.2
        copy = 0 if again else row.copy
        number = pictures[(row.artist, row.seed)] if again else len(out)
        if row.copy == 0:
            pictures[(row.artist, row.seed)] = number
        out.append(Row(**{**_fields(row), "picture": number, "copy": copy}))
    return out


class _Writer:
    """Writes captions from the phrase lists."""

    def __init__(self, phrases: dict[str, list[str]], rng: np.random.Generator) -> None:
        self.phrases, self.rng = phrases, rng

    def _one(self, kind: str) -> str:
        choices = self.phrases[kind]
        return choices[int(self.rng.integers(len(choices)))]

    def caption(self, kind: str, name: ArtistName, what: str) -> str:
        """A caption of a picture: `what` is its subject."""
        if kind == UNNAMED and self.rng.random() < 0.5:
            return self._one("named").format(who=misspelt(name.name, self.rng), what=what)
        if kind == UNNAMED:
            return self._one("unnamed").format(what=what)
        return self._one("named" if kind == HIT else "elsewhere").format(who=self._called(name), what=what)

    def _called(self, name: ArtistName) -> str:
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

    def unrelated(self, artists: tuple[Artist, ...]) -> str:
        """A caption about nobody; one in fifty holds one word of some artist's name.

        Alone or inside another word.
        """
        text = self._one("unrelated").format(a=self._one("a"), b=self._one("b"), c=self._one("c"))
        if self.rng.random() < 0.02:
            word = artists[int(self.rng.integers(len(artists)))].name.name.split()[0]
            text = f"{text} {word if self.rng.random() < 0.5 else word.lower() + 'esque'}"
        return text


def _phrases() -> dict[str, list[str]]:
    source = resources.files("fit.world") / "phrases.toml"
    return {key: list(values) for key, values in tomllib.loads(source.read_text(encoding="utf-8")).items()}


def planted_frequencies(plan: Plan) -> npt.NDArray[np.int64]:
    """The truth that counting should find.

    Training images of each artist whose caption names the artist, shape (n,).
    """
    counts = np.zeros(len(plan.artists), dtype=np.int64)
    for row in plan.rows:
        counts[row.artist] += row.kind == HIT
    return counts
