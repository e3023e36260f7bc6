"""The references of concepts: the vectors that a corpus's rows are compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from concepts.errors import MalformedFile
from corpus.embeddings import lists
from corpus.embeddings.vectors import LONGEST, SHORTEST, lengths


@dataclass(frozen=True, eq=False)
class References:
    """The references of each concept, one concept after the other.

    Attributes:
        concepts: Their names, each once, at least one.
        vectors: Shape (n, d), float32, of any usable length; a cosine does not depend on it.
        starts: Where each concept's begin and the last one's end, shape (len(concepts) + 1,).
    """

    concepts: tuple[str, ...]
    vectors: NDArray[np.float32]
    starts: NDArray[np.int64]

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """References of each concept, shape (len(concepts),)."""
        return np.diff(self.starts)

    @cached_property
    def units(self) -> NDArray[np.float32]:
        """The vectors at length 1, shape (n, d), float32."""
        scaled: NDArray[np.float32] = (self.vectors / self.lengths[:, None]).astype(np.float32)
        return scaled

    @cached_property
    def lengths(self) -> NDArray[np.float64]:
        """The length of each vector, shape (n,), float64."""
        return lengths(self.vectors)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the names and the vectors."""
        whole = hashlib.sha256("\0".join(self.concepts).encode())
        for array in (self.starts, self.vectors):
            whole.update(np.ascontiguousarray(array).tobytes())
        return whole.hexdigest()

    def of(self, concept: int) -> slice:
        """Return where a concept's references stand."""
        return slice(int(self.starts[concept]), int(self.starts[concept + 1]))

    def by_concept(self) -> dict[str, NDArray[np.float32]]:
        """Return each concept's references at length 1."""
        return {name: self.units[self.of(place)] for place, name in enumerate(self.concepts)}

    def only(self, wanted: Mapping[str, object]) -> References:
        """Return the references of some of the concepts, in the order that they have here."""
        kept = {name: self.vectors[self.of(i)] for i, name in enumerate(self.concepts) if name in wanted}
        return references_of(kept)


def references_of(vectors: Mapping[str, NDArray[np.float32]]) -> References:
    """Put the concepts' references, shape (n_c, d) each and usable, one after the other."""
    starts = np.concatenate([[0], np.cumsum([len(each) for each in vectors.values()])]).astype(np.int64)
    return References(tuple(vectors), np.concatenate(list(vectors.values())).astype(np.float32), starts)


def read_reference_vectors(path: Path) -> References:
    """Read references from a Parquet file with the columns ``concept`` and ``embedding`` (lists of numbers).

    The column of lists may also be called as in `lists.NAMES`. Concepts stand in the order of their first
    rows.

    Raises:
        MalformedFile: It is missing, no Parquet file, lacks a column or has one of another kind; or a
            reference has another length, is zero, or holds NaN. The message names the row.
    """
    table = _read(path)
    names = table["concept"].to_pylist()
    if not names:
        raise MalformedFile(f"{path}: there are no references in it; add a row per reference")
    try:
        vectors = lists.matrix(table["embedding"].combine_chunks())
    except lists.Unequal as error:
        raise MalformedFile(f"{path}: {error}; all references have to come from one encoder") from error
    wide = vectors.astype(np.float32)
    _check(path, names, wide)
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return references_of({name: wide[places] for name, places in rows.items()})


def _read(path: Path) -> pa.Table:
    """Return the columns ``concept`` and ``embedding``."""
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            chosen = lists.pick(schema)
            for name in ("concept", chosen or lists.NAMES[0]):
                if schema.names.count(name) != 1:
                    found = "two columns" if name in schema.names else "no column"
                    listed = ", ".join(schema.names)
                    raise MalformedFile(f"{path}: {found} {name!r}; the columns are: {listed}")
            if not lists.is_vectors(schema.field(chosen).type):
                kind = schema.field(chosen).type
                raise MalformedFile(f"{path}: the column {chosen!r} holds {kind}, not lists of numbers")
            table = file.read(columns=["concept", chosen]).select(["concept", chosen])
            return table.rename_columns(["concept", "embedding"]).set_column(
                0, "concept", table["concept"].cast(pa.string())
            )
    except FileNotFoundError as error:
        raise MalformedFile(f"{path}: there is no such file; it should hold the references") from error
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise MalformedFile(f"{path}: not a readable Parquet file of references ({reason})") from error


def _check(path: Path, names: list[str | None], vectors: NDArray[np.float32]) -> None:
    size = lengths(vectors)
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero(~((size >= SHORTEST) & (size <= LONGEST)))
    nameless = next((row for row, name in enumerate(names) if not name), None)
    if nameless is not None:
        raise MalformedFile(f"{path}, row {nameless}: no concept; fill it in or delete the row")
    if len(bad):
        row = int(bad[0])
        what = "is zero" if size[row] == 0 else "is missing, or holds NaN, infinite or huge numbers"
        raise MalformedFile(f"{path}, row {row}: the embedding of {names[row]!r} {what}; delete the row")
