"""What several stages ask of the registries: the run's concepts, corpus, domain, model and scorer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from concepts.concept import Concept
from concepts.domain import Domain, load_domain
from concepts.own_rows import Kind, own_digest
from corpus.registry import Corpus, load_corpus
from fit.config import Settings
from fit.generation.models import load_model
from fit.generation.training import Phase, phases
from fit.imitation.scorers import Encoder, Scorer, Vectors, load_scorer
from fit.run import Job

CHUNK = 512
"""Images that are decoded and embedded together: bounds the memory."""


def concepts_of(job: Job) -> tuple[Concept, ...]:
    """Return the run's concepts in the order of their list."""
    rows = job.read("concepts", "concepts").to_pylist()
    return tuple(
        Concept(row["concept"], tuple(row["aliases"]), row["group"], tuple(row["flags"])) for row in rows
    )


def domain_of(settings: Settings) -> Domain:
    """Return the run's domain."""
    return load_domain(settings.domain)


def corpus_of(settings: Settings) -> Corpus:
    """Return the run's corpus."""
    return load_corpus(settings.corpus)


def own_row(kind: Kind, name: str, keys: tuple[str, ...] = ()) -> dict[str, str]:
    """Return a digest of what a stage takes from a row, by what it is; {} where the row is a shipped one.

    Args:
        kind: Of the row.
        name: Of the row.
        keys: The keys of the row that the stage's results depend on; none: all.
    """
    digest = own_digest(kind, name, keys)
    return {f"row of {kind.noun} {name}": digest} if digest else {}


def phases_of(settings: Settings) -> tuple[Phase, ...]:
    """Return the phases in which the run's model was trained on the run's corpus, as its row says."""
    return phases(load_model(settings.model).training, corpus_of(settings))


def scorer_of(settings: Settings) -> Scorer:
    """Return the run's scorer: the one that the settings name, else the corpus's, else the domain's."""
    return load_scorer(settings.scorer.name or corpus_of(settings).scorer or domain_of(settings).scorer)


@dataclass(frozen=True)
class Images:
    """Embedded images.

    Attributes:
        vectors: Unit vectors of the readable ones in their order, shape (n, d).
        index: The place of each among the images given, shape (n,).
        unreadable: Place and reason of the others.
        blank: Places of those among them that could be read and show nothing that the scorer looks for (no
            face): they were checked and are no hits.
        facts: What else the scorer saw in the readable ones (a face's size), each of shape (n,).
    """

    vectors: Vectors
    index: np.ndarray
    unreadable: tuple[tuple[int, str], ...]
    blank: frozenset[int] = frozenset()
    facts: Mapping[str, np.ndarray] = field(default_factory=dict)


def embed(encoder: Encoder, images: Sequence[bytes]) -> Images:
    """Embed any number of images with bounded memory."""
    starts = range(0, len(images), CHUNK)
    chunks = [encoder.embed(images[start : start + CHUNK]) for start in starts]
    if not chunks:
        empty = np.zeros((0, encoder.dimensions), np.float32)
        return Images(empty, np.zeros(0, np.int64), ())
    unreadable = [
        (n * CHUNK + each.index, each) for n, found in enumerate(chunks) for each in found.unreadable
    ]
    names = sorted({name for found in chunks if len(found.index) for name in found.facts})
    return Images(
        np.concatenate([found.vectors for found in chunks]),
        np.concatenate([start + found.index for start, found in zip(starts, chunks, strict=True)]),
        tuple((place, each.reason) for place, each in unreadable),
        frozenset(place for place, each in unreadable if each.blank),
        {name: np.concatenate([found.facts[name] for found in chunks if len(found.index)]) for name in names},
    )


def vectors_column(vectors: Vectors) -> pa.Array:
    """Return vectors (n, d) as a column of fixed-size lists of float16."""
    flat = pa.array(vectors.astype(np.float16).ravel(), pa.float16())
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def column_vectors(column: pa.ChunkedArray) -> Vectors:
    """Return a column of fixed-size lists as unit vectors (n, d), float32.

    Rounding to float16 is undone in length.
    """
    array = column.combine_chunks()
    flat = array.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    vectors: Vectors = flat.reshape(-1, array.type.list_size)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
    return vectors


def by_concept(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield (concept, its rows in their order), concepts in the order of their first rows."""
    names = np.array(table["concept"].to_pylist(), dtype=object)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    for name, rows in places.items():
        yield name, table.take(pa.array(rows, pa.int64()))
