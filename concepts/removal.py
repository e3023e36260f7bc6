"""The removal list: who is on it is in no catalogue, whoever made the catalogue.

Somebody is on it by any name: a concept goes when its name or one of its aliases is listed, since whoever
asked to be left out need not know under which of their names a catalogue has them.

The list of this package holds digests, so that it does not itself publish the names. A list of one's own,
which the environment variable ``FIT_REMOVED`` names, may hold names or digests.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from concepts.concept import Concept
from concepts.errors import ConceptsError
from concepts.matching import canonical
from concepts.whole import write_whole

VARIABLE = "FIT_REMOVED"
COLUMNS = ("name", "sha256")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a removal list leaves of a catalogue.

    Attributes:
        concepts: The concepts that stay, in their order.
        removed: How many concepts are gone.
    """

    concepts: tuple[Concept, ...]
    removed: int


def phrase_digest(phrase: str) -> str:
    """Return the SHA-256 (hex) of a phrase in the form in which equal phrases are the same."""
    return hashlib.sha256(canonical(phrase).encode()).hexdigest()


def without_removed(concepts: Iterable[Concept], digests: frozenset[str] | None = None) -> Kept:
    """Leave out who is on the removal list, by name or by alias.

    Args:
        concepts: Of a catalogue.
        digests: Digests of the phrases on the list; None reads both lists.

    Raises:
        ConceptsError: The list that ``FIT_REMOVED`` names cannot be read.
    """
    gone = removal_list() if digests is None else digests
    listed = tuple(concepts)
    kept = tuple(concept for concept in listed if gone.isdisjoint(map(phrase_digest, concept.phrases)))
    return Kept(kept, len(listed) - len(kept))


def removal_list() -> frozenset[str]:
    """Return the digests on the list of this package and on that of the user.

    Raises:
        ConceptsError: A list cannot be read or has other columns.
    """
    own = files("concepts").joinpath("lists", "removed.csv").read_text(encoding="utf-8")
    found = _digests(own, "removed.csv")
    given = os.environ.get(VARIABLE)
    if given:
        try:
            text = Path(given).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConceptsError(f"{given}: the removal list ({VARIABLE}) cannot be read ({error})") from error
        found |= _digests(text, given)
    return found


def add_to_list(digests: Iterable[str]) -> Path | None:
    """Add digests to the list that ``FIT_REMOVED`` names, and return which that is; None where it names none.

    Raises:
        ConceptsError: The list cannot be read or written.
    """
    if not (given := os.environ.get(VARIABLE)):
        return None
    path = Path(given)
    new = sorted(set(digests) - removal_list()) if path.is_file() else sorted(set(digests))
    try:
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        written = io.StringIO(newline="")
        writer = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, *({"sha256": digest} for digest in new)])
        # Whole or not at all: a list that is half written would let people come back.
        write_whole(path, written.getvalue())
    except OSError as error:
        raise ConceptsError(f"{given}: the removal list ({VARIABLE}) cannot be written ({error})") from error
    return path


def _digests(text: str, source: str) -> frozenset[str]:
    try:
        rows = list(reader := csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise ConceptsError(f"{source}: a removal list that is not CSV ({error})") from error
    columns = reader.fieldnames or []
    if not columns or any(column not in COLUMNS for column in columns):
        raise ConceptsError(f"{source}: a removal list has the column name, or sha256, or both")
    found = set()
    for number, row in enumerate(rows, 1):
        if None in row:
            raise ConceptsError(
                f"{source}: row {number} has more cells than columns; quote names with commas"
            )
        if row.get("name"):
            found.add(phrase_digest(row["name"]))
        if row.get("sha256"):
            found.add(row["sha256"].strip().lower())
    return frozenset(found)
