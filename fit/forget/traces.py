"""What in a run is about somebody: phrases that name them, addresses and digests of their images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from concepts.concept import Concept
from concepts.matching import Phrase, canonical, occurs, parse_phrase
from concepts.removal import phrase_digest

CONCEPT = "concept"
POINTERS = ("url", "digest", "image_digest", "sha256")
"""Columns that stand for an image wherever they stand, in tables that do not name the concept as well."""


@dataclass(frozen=True)
class Traces:
    """What is to be deleted.

    Attributes:
        phrases: The names, as they are looked for in texts.
        pointers: Addresses and digests of images of theirs and of nobody else.
        of_others: Addresses and digests in rows of other concepts and in none of theirs; None where they are
            no concept of the run.
        digests: What the removal is noted by (`concepts.removal.phrase_digest`).
    """

    phrases: tuple[Phrase, ...]
    pointers: frozenset[str]
    digests: frozenset[str]
    of_others: frozenset[str] | None = None
    _seen: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def names(self, text: str) -> bool:
        """Tell whether a text names them, also as part of an address."""
        if (known := self._seen.get(text)) is None:
            forms = {canonical(text), canonical(unquote(text))}
            known = any(occurs(phrase, form) for phrase in self.phrases for form in forms)
            self._seen[text] = known
        return known

    def about(self, text: str) -> bool:
        """Tell whether a text names them, or is an address or digest of theirs."""
        return text in self.pointers or self.names(text)

    def with_pointers(self, more: Iterable[str]) -> Traces:
        """Return the same with further addresses and digests."""
        return Traces(self.phrases, self.pointers | frozenset(more), self.digests, self.of_others)

    def may_be_theirs(self, digest: str) -> bool:
        """Tell whether an image may be theirs: no row of the run says that it is another concept's alone."""
        return digest in self.pointers if self.of_others is None else digest not in self.of_others


def traces_of(
    name: str, concept: Concept | None, others: Sequence[Concept], tables: Iterable[Path]
) -> Traces:
    """Return what in a run is about somebody.

    Args:
        name: As they were asked for.
        concept: The concept of the run that is meant, None where it has none.
        others: The other concepts of the run; phrases and images that are theirs as well stay.
        tables: The Parquet files of the run.
    """
    own = concept.phrases if concept else (name,)
    shared = {canonical(phrase) for other in others for phrase in other.phrases}
    phrases = [phrase for phrase in own if canonical(phrase) not in shared]
    theirs, of_others = _pointers(concept.name, tables) if concept else (frozenset(), None)
    return Traces(
        tuple(parse_phrase(phrase) for phrase in phrases),
        theirs,
        frozenset(phrase_digest(phrase) for phrase in phrases),
        of_others,
    )


def _pointers(concept: str, tables: Iterable[Path]) -> tuple[frozenset[str], frozenset[str]]:
    """Return addresses and digests in rows of a concept and in none of another, and the other way round."""
    theirs: set[str] = set()
    of_others: set[str] = set()
    for path in tables:
        for own, values in _values(path, concept):
            (theirs if own else of_others).update(values)
    return frozenset(theirs - of_others), frozenset(of_others - theirs)


def _values(path: Path, concept: str) -> Iterator[tuple[bool, set[str]]]:
    """Yield (whether of the concept, addresses and digests) of a table that tells the concept of its rows."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        pointing = [name for name in POINTERS if name in schema.names and _is_text(schema.field(name).type)]
        pictures = [each.name for each in schema if pa.types.is_binary(each.type)]
        if CONCEPT not in schema.names or not (pointing or pictures):
            return
        for batch in file.iter_batches(1024, columns=[CONCEPT, *pointing, *pictures]):
            own = pc.equal(batch.column(CONCEPT), concept)
            for wanted, mask in ((True, own), (False, pc.invert(own))):
                rows = batch.filter(mask)
                found = {v for name in pointing for v in rows.column(name).to_pylist() if v}
                yield wanted, found | {_digest(v) for n in pictures for v in rows.column(n).to_pylist() if v}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


@dataclass(frozen=True)
class Deleted:
    """What was deleted, or would be.

    Attributes:
        rows: Rows of tables.
        images: Images in tables and archives.
        embeddings: Vectors.
        entries: Entries of JSON files and lines of texts.
        files: Whole files.
    """

    rows: int = 0
    images: int = 0
    embeddings: int = 0
    entries: int = 0
    files: int = 0

    def __add__(self, other: Deleted) -> Deleted:
        return Deleted(**{name: value + getattr(other, name) for name, value in self.counts().items()})

    def __bool__(self) -> bool:
        return any(self.counts().values())

    def counts(self) -> Mapping[str, int]:
        """Return the numbers by what was counted."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def sentence(self) -> str:
        """The numbers in words."""
        parts = [f"{number:,} {name}" for name, number in self.counts().items() if number]
        return ", ".join(parts) or "nothing"
