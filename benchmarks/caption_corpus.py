"""Caption shards as LAION's look, with a known share of captions that name a concept; for benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from concepts.catalogue import catalogue_names, find_catalogue
from concepts.matching import canonical

SPELLINGS = 0.1  # of the captions that name something: other separators, case or accents
FOREIGN = 0.09  # captions with a letter beyond ASCII
SINGLE = 0.06  # captions with one word of some name, which is none
ACCENTS = str.maketrans("aeiouc", "áéíöûç")


@dataclass(frozen=True)
class Recipe:
    """A corpus.

    Attributes:
        captions: Captions in a shard.
        shards: Different shards.
        matching: Share of the captions that name a concept.
    """

    captions: int
    shards: int
    matching: float


def names(number: int) -> list[str]:
    """Return names: those of the lists first, then first and last words of these in other pairs."""
    real = [concept.name for each in catalogue_names() for concept in find_catalogue(each).concepts]
    found = {canonical(name): name for name in real if name.isascii() and 6 <= len(name) <= 40}
    words = [name.split() for name in found.values() if " " in name]
    rng = np.random.default_rng(1)
    while len(found) < number:
        first, last = (words[place] for place in rng.integers(len(words), size=2))
        found.setdefault(canonical(made := f"{first[0]} {last[-1]}"), made)
    return list(found.values())[:number]


def write_corpus(folder: Path, recipe: Recipe, known: Sequence[str]) -> None:
    """Write the shards: URL, TEXT, WIDTH, HEIGHT, punsafe; captions of 68 bytes on the average."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(recipe.shards):
        rng = np.random.default_rng([shard, round(1e6 * recipe.matching)])
        n = recipe.captions
        urls = [
            f"https://cdn{k % 97}.example.com/media/{k * 7919 % 999_983}/{k:09d}/large.jpg" for k in range(n)
        ]
        table = {
            "URL": urls,
            "TEXT": list(_captions(rng, recipe, known)),
            "WIDTH": rng.integers(100, 2000, n),
            "HEIGHT": rng.integers(100, 2000, n),
            "punsafe": rng.random(n).astype(np.float32),
        }
        path = folder / f"part-{shard:05d}.parquet"
        pq.write_table(pa.table(table), path, compression="snappy", row_group_size=131_072)


def _captions(rng: np.random.Generator, recipe: Recipe, known: Sequence[str]) -> Iterator[str]:
    words = _vocabulary(rng)
    singles = sorted({word for name in known for word in name.split() if len(word) > 3})
    weights = 1 / np.arange(10, len(words) + 10)
    ends = np.cumsum(rng.integers(5, 15, recipe.captions))
    drawn = rng.choice(len(words), ends[-1], p=weights / weights.sum())
    kinds = rng.random((recipe.captions, 3))
    start = 0
    for end, (names_one, has_word, is_foreign) in zip(ends.tolist(), kinds.tolist(), strict=True):
        parts = [words[word] for word in drawn[start:end].tolist()]
        start = end
        if is_foreign < FOREIGN:
            parts[0] = parts[0].translate(ACCENTS) + "é"
        if names_one < recipe.matching:
            place = int(rng.integers(len(parts)))
            parts[place] = _spelt(rng, known[int(rng.integers(len(known)))])
        elif has_word < SINGLE:
            parts[int(rng.integers(len(parts)))] = singles[int(rng.integers(len(singles)))].title()
        yield " ".join(parts)


def _spelt(rng: np.random.Generator, name: str) -> str:
    """Return a name as a caption has it, now and then in another spelling that counts."""
    if rng.random() >= SPELLINGS:
        return name
    change = int(rng.integers(5))
    if change == 0:
        return name.replace(" ", "-_."[int(rng.integers(3))])
    return (name.upper(), name.lower(), name.replace(" ", "  "), name.translate(ACCENTS))[change - 1]


def _vocabulary(rng: np.random.Generator) -> list[str]:
    """Return 20,000 words that are none of any name, some with punctuation, the most frequent first."""
    letters = np.array(list("qxzjkvwyhgtrbdfpaeiou"))
    made = ("".join(letters[rng.integers(0, 21, size)]) for size in rng.integers(2, 10, 20_000))
    marks = ("", "", "", "", "", "", ",", ".", " -", "!")
    return [f"q{word}{marks[place % 10]}" for place, word in enumerate(made)]
