"""What several stages ask of the registries: the run's concepts, corpus, domain, model and scorer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from concepts.concept import Concept
from concepts.domain import Domain, load_domain
from corpus.registry import Corpus, data_folder, load_corpus
from fit.config import Settings
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


def scorer_of(settings: Settings) -> Scorer:
    """Return the run's scorer: the one that the settings name, else the corpus's, else the domain's."""
    return load_scorer(settings.scorer.name or corpus_of(settings).scorer or domain_of(settings).scorer)


def encoder_of(settings: Settings) -> Encoder:
    """Return the run's scorer, loaded."""
    return scorer_of(settings).load(data_folder())


@dataclass(frozen=True)
class Images:
    """Embedded images.

    Attributes:
        vectors: Unit vectors of the readable ones in their order, shape (n, d).
        index: The place of each among the images given, shape (n,).
        unreadable: Place and reason of the others.
    """

    vectors: Vectors
    index: np.ndarray
    unreadable: tuple[tuple[int, str], ...]


def embed(encoder: Encoder, images: Sequence[bytes]) -> Images:
    """Embed any number of images with bounded memory."""
    vectors, index, unreadable = [], [], []
    for start in range(0, len(images), CHUNK):
        found = encoder.embed(images[start : start + CHUNK])
        vectors.append(found.vectors)
        index.append(found.index + start)
        unreadable += [(each.index + start, each.reason) for each in found.unreadable]
    if not vectors:
        empty = np.zeros((0, encoder.dimensions), np.float32)
        return Images(empty, np.zeros(0, np.int64), ())
    return Images(np.concatenate(vectors), np.concatenate(index), tuple(unreadable))


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
