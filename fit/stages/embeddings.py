"""The run's embeddings: each image is looked at once by each scorer, whichever stage asks first.

They lie in the run's ``embeddings/SCORER-DIGEST/``, one Parquet file for each chunk of images computed: the
image's digest, its vector (float16) or why it has none, and what else the scorer saw. No receipt covers
them: removing the folder costs time and changes nothing, as every vector is rounded in the same way whether
it was just computed or read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.registry import data_folder
from fit.imitation.scorers import Embedded, Encoder, Scorer, Setup, Unreadable, Vectors, load_scorer
from fit.run import Job, artefacts
from fit.stages.inputs import column_vectors, scorer_of, vectors_column

FOLDER = "embeddings"
FACT = "fact_"  # before the name of a column with what else the scorer saw


def run_encoder(job: Job) -> Encoder:
    """Return the run's scorer with the run's cache of embeddings.

    Its weights are loaded when the first image is met that the cache does not hold.
    """
    return _cached(job, scorer_of(job.settings))


def named_encoder(job: Job, name: str) -> CachedEncoder:
    """Return another scorer than the run's, by its name, with the run's cache.

    Raises:
        ModelError: There is no such scorer.
    """
    return _cached(job, load_scorer(name))


def _cached(job: Job, scorer: Scorer) -> CachedEncoder:
    return cached_encoder(scorer, job.run_folder / FOLDER, Setup(job.settings.scorer.device), job.note)


def cached_encoder(
    scorer: Scorer, folder: Path, setup: Setup, note: Callable[[str], None] | None = None
) -> CachedEncoder:
    """Return a scorer with a cache in a folder that several scorers may share.

    Args:
        scorer: Its row.
        folder: Where the scorers' folders lie.
        setup: How it is to be loaded.
        note: Told of the licence when weights from elsewhere are loaded.
    """
    data = data_folder()
    digest = scorer.digest(data)

    def load() -> Encoder:
        if note is not None and not scorer.is_ours:
            note(f"scorer {scorer.name}: {scorer.title}, licence: {scorer.licence}")
        return scorer.load(data, setup)

    safe = "".join(each if each.isalnum() else "-" for each in scorer.name)[:40]
    return CachedEncoder(folder / f"{safe}-{digest[:16]}", load)


@dataclass(frozen=True)
class _Known:
    """What is known of some images, each by its digest."""

    vectors: Mapping[str, np.ndarray]
    reasons: Mapping[str, tuple[str, bool]]
    facts: Mapping[str, Mapping[str, float]]

    def __contains__(self, digest: str) -> bool:
        return digest in self.vectors or digest in self.reasons


class CachedEncoder:
    """An encoder that asks its folder first; an `Encoder` itself."""

    def __init__(self, folder: Path, load: Callable[[], Encoder]) -> None:
        """Take the scorer's own folder and what builds the encoder."""
        self._folder = folder
        self._load = lru_cache(maxsize=1)(load)
        self._files: dict[str, str] | None = None

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""
        for path in self._paths():
            if (table := _whole(path)) is not None:
                return int(table.schema.field("vector").type.list_size)
        return self._load().dimensions

    @property
    def reads_texts(self) -> bool:
        """Whether the scorer embeds texts as well."""
        return hasattr(self._load(), "embed_texts")

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of texts, shape (n, dimensions), of a scorer that `reads_texts`."""
        encoder: Any = self._load()
        vectors: Vectors = encoder.embed_texts(texts)
        return vectors

    def embed(self, images: Sequence[bytes]) -> Embedded:
        """Return unit vectors of encoded images as `Encoder.embed`, rounded to float16 and back."""
        digests = [hashlib.sha256(image).hexdigest() for image in images]
        known = self._known(digests)
        missing = list(dict.fromkeys(digest for digest in digests if digest not in known))
        if missing:
            places = {digest: place for place, digest in enumerate(digests)}
            table = self._computed(missing, [images[places[digest]] for digest in missing])
            known = _merged([known, _read(table, set(missing))])
        return _in_order(digests, known, self.dimensions)

    def _computed(self, digests: Sequence[str], images: Sequence[bytes]) -> pa.Table:
        """Embed images that are new and keep the result."""
        encoder = self._load()
        table = _table(digests, encoder.embed(images), encoder.dimensions)
        name = hashlib.sha256("".join(digests).encode()).hexdigest()[:32]
        artefacts.write_table(self._folder / f"{name}.parquet", table)
        if self._files is not None:
            self._files |= dict.fromkeys(digests, f"{name}.parquet")
        return table

    def _paths(self) -> list[Path]:
        return sorted(p for p in self._folder.glob("*.parquet") if not artefacts.is_leftover(p))

    def _known(self, digests: Sequence[str]) -> _Known:
        if self._files is None:
            self._files = {}
            for path in self._paths():
                if (table := _whole(path)) is not None:
                    self._files |= dict.fromkeys(table["digest"].to_pylist(), path.name)
        wanted = set(digests)
        names = sorted({self._files[digest] for digest in wanted if digest in self._files})
        tables = [artefacts.read_table(self._folder / name) for name in names]
        return _merged([_read(table, wanted) for table in tables])


def _whole(path: Path) -> pa.Table | None:
    """Read a file of the cache; a damaged one is removed, and its images are looked at again."""
    try:
        return artefacts.read_table(path)
    except artefacts.DamagedFile:
        path.unlink(missing_ok=True)
        return None


def _table(digests: Sequence[str], found: Embedded, dimensions: int) -> pa.Table:
    vectors = np.zeros((len(digests), dimensions), np.float32)
    vectors[found.index] = found.vectors
    reasons = {each.index: each for each in found.unreadable}
    columns = {
        "digest": pa.array(digests, pa.string()),
        "vector": vectors_column(vectors),
        "reason": pa.array([reasons[i].reason if i in reasons else "" for i in range(len(digests))]),
        "blank": pa.array([i in reasons and reasons[i].blank for i in range(len(digests))]),
    }
    for name, values in sorted(found.facts.items()):
        column = np.full(len(digests), np.nan, np.float32)
        column[found.index] = values
        columns[f"{FACT}{name}"] = pa.array(column, from_pandas=True)
    return pa.table(columns)


def _read(table: pa.Table, wanted: set[str]) -> _Known:
    digests, reasons = table["digest"].to_pylist(), table["reason"].to_pylist()
    blank, vectors = table["blank"].to_pylist(), column_vectors(table["vector"])
    names = [name for name in table.column_names if name.startswith(FACT)]
    facts = {name.removeprefix(FACT): table[name].to_pylist() for name in names}
    rows = [i for i, digest in enumerate(digests) if digest in wanted]
    return _Known(
        {digests[i]: vectors[i] for i in rows if not reasons[i]},
        {digests[i]: (reasons[i], blank[i]) for i in rows if reasons[i]},
        {digests[i]: {name: each[i] for name, each in facts.items()} for i in rows if not reasons[i]},
    )


def _merged(parts: Sequence[_Known]) -> _Known:
    whole = _Known({}, {}, {})
    for part in parts:
        whole = _Known(
            {**whole.vectors, **part.vectors},
            {**whole.reasons, **part.reasons},
            {**whole.facts, **part.facts},
        )
    return whole


def _in_order(digests: Sequence[str], known: _Known, dimensions: int) -> Embedded:
    index = [place for place, digest in enumerate(digests) if digest in known.vectors]
    vectors: Vectors = np.zeros((len(index), dimensions), np.float32)
    for row, place in enumerate(index):
        vectors[row] = known.vectors[digests[place]]
    unreadable = tuple(
        Unreadable(place, *known.reasons[digest])
        for place, digest in enumerate(digests)
        if digest in known.reasons
    )
    names = sorted({name for place in index for name in known.facts[digests[place]]})
    facts = {
        name: np.array([known.facts[digests[place]].get(name) for place in index], np.float32)
        for name in names
    }
    return Embedded(vectors, np.array(index, np.int64), unreadable, facts)
