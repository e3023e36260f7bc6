"""Every reader of files that others may have made: what it is given, and what it does with it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.property.hostile import reads, seeds
from tests.property.hostile.mutation import mutated
from tests.property.hostile.reads import at, rows, text

Seeds = Callable[[Path], list[bytes]]


@dataclass
class Reader:
    """A reader and its hostile inputs.

    Attributes:
        name: The row of the reliability table.
        seeds: Makes valid files; they get a folder to work in.
        read: Reads a file's bytes as fit would; raises a `FitError`, or nothing.
        share: Of a hundred thousand cases, how many thousand.
        strange: Share of inputs that are valid Parquet of strange columns instead.
    """

    name: str
    seeds: Seeds
    read: reads.Read
    share: int
    strange: float = 0.0
    _files: list[bytes] = field(default_factory=list)

    def prepare(self, folder: Path) -> None:
        """Make the valid files and read each, so that a mutation is what makes the difference."""
        self._files = self.seeds(folder)
        for each in self._files:
            self.read(each, folder)

    def make(self, rng: random.Random) -> bytes:
        """Return the hostile input of a seeded generator."""
        if rng.random() < self.strange:
            return seeds.strange_parquet(rng)
        return mutated(rng.choice(self._files), rng)


def csv_curves(_: Path) -> list[bytes]:
    return [seeds.CURVE, seeds.CURVE.replace(b"\n", b"\r\n")]


def parquet_curves(_: Path) -> list[bytes]:
    n = range(12)
    columns = {"concept": [f"c{i}" for i in n], "frequency": list(n), "score": [i / 20 for i in n]}
    return [seeds.parquet(columns)]


def given(*files: bytes) -> Seeds:
    return lambda _: list(files)


READERS: tuple[Reader, ...] = (
    Reader("concept list (CSV)", given(seeds.CONCEPTS), at("list.csv", reads.concepts), 12),
    Reader("about a concept list (TOML)", given(b'title = "A"\nsource = "b"\nn = 3\n'), reads.about, 2),
    Reader("settings (TOML)", lambda _: [seeds.settings()], text(reads.settings), 4),
    Reader("settings of a run folder", lambda _: [seeds.settings()], reads.run, 3),
    Reader("settings (--set)", given(b"threshold.level=0.9", b"counts.where=a < 1"),
           text(reads.assignment), 5),
    Reader("curve (CSV)", csv_curves, at("curve.csv", reads.curve), 12),
    Reader("curve (Parquet)", parquet_curves, at("curve.parquet", reads.curve), 4, strange=0.1),
    Reader("frequencies (CSV)", csv_curves, at("frequencies.csv", reads.frequencies), 3),
    Reader("images", lambda _: seeds.images(), reads.image, 12),
    Reader("image shard (tar)", lambda _: [seeds.tar()], reads.tar, 2),
    Reader("index of images", lambda _: [seeds.index()], reads.index, 2, strange=0.1),
    Reader("receipts and plans", lambda _: [seeds.receipt()], reads.receipt, 8),
    Reader("history of a run", lambda _: [seeds.history()], at("run.json", reads.history), 5),
    Reader("who was forgotten", lambda _: [seeds.forgotten()], at("forgotten.json", reads.forgotten), 2),
    Reader("rows of models", lambda _: [seeds.rows("fit.generation/models.toml").split(b"\n\n[")[0]],
           rows(reads.model), 5),
    Reader("rows of scorers", lambda _: [seeds.rows("fit.imitation/scorers.toml")],
           rows(reads.scorer), 2),
    Reader("rows of corpora", lambda _: [seeds.rows("corpus/corpora.toml")], rows(reads.corpus), 1),
    Reader("domains", lambda _: [seeds.rows("concepts.domains/faces.toml")], reads.domain, 4),
    Reader("bundles", lambda _: [seeds.bundle()], reads.bundle, 5),
    Reader("reference vectors", lambda _: seeds.vectors(), at("v.parquet", reads.vectors), 3, strange=0.1),
    Reader("embeddings (.npy)", lambda _: seeds.npy(), at("img_emb_0.npy", reads.embeddings), 5),
    Reader("embeddings (Parquet)", lambda _: seeds.vectors(),
           at("e.parquet", reads.embeddings), 2, strange=0.1),
    Reader("cuts", given(seeds.CUTS), at("cuts.csv", reads.cuts), 5),
    Reader("reference images (Parquet)", lambda _: seeds.references(),
           at("r.parquet", reads.references), 2, 0.1),
    Reader("metadata of references (CSV)", given(seeds.METADATA_CSV), reads.described("metadata.csv"), 2),
    Reader("metadata of references (JSON)", given(seeds.METADATA_JSONL),
           reads.described("metadata.jsonl"), 2),
    Reader("opt-out lists", given(seeds.OPT_OUTS), at("optout.csv", reads.opt_outs), 5),
    Reader("removal lists", given(seeds.REMOVED), at("removed.csv", reads.removed), 2),
    Reader("safetensors", lambda _: [seeds.safetensors()], at("w.safetensors", reads.tensors), 2),
    Reader("pickled weights", seeds.pickled, at("w.pt", reads.pickle), 1),
    Reader("conditions (--where)", given(seeds.CONDITION), text(reads.condition), 1),
    Reader("captions (Parquet)", lambda _: seeds.caption_files(),
           at("a.parquet", reads.captions), 3, strange=0.2),
    Reader("counts of a shard", lambda f: [seeds.counts_part(f)],
           at("part.parquet", reads.part), 1, strange=0.05),
)  # fmt: skip
