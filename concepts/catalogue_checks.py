"""Checks of a whole concept list: what is refused and what is only worth a warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from concepts.concept import Concept
from concepts.errors import ConceptsError
from concepts.matching import canonical
from concepts.phrase_index import PhraseIndex


def check_duplicates(rows: Sequence[tuple[int, Concept]], file: str) -> None:
    """Refuse a list that has a name twice (equal by the matching rules).

    Args:
        rows: (line number, concept) pairs.
        file: The file's name, for the message.

    Raises:
        ConceptsError: Names both lines.
    """
    first: dict[str, tuple[int, str]] = {}
    for line, concept in rows:
        earlier = first.setdefault(canonical(concept.name), (line, concept.name))
        if earlier[0] != line:
            raise ConceptsError(
                f"{file}, line {line}: {concept.name!r} stands in line {earlier[0]} already, as "
                f"{earlier[1]!r}; delete one of the lines"
            )


def find_warnings(concepts: Sequence[Concept]) -> tuple[str, ...]:
    """Return one line per doubt about a list: an alias of two concepts, a name inside another name.

    Captions with such a phrase count for both concepts, so that both counts can be too high.
    """
    owners = [(phrase, concept.name) for concept in concepts for phrase in concept.phrases]
    return (*_ambiguous(owners), *_nested(owners))


def _ambiguous(owners: Sequence[tuple[str, str]]) -> Iterator[str]:
    by_form: dict[str, list[tuple[str, str]]] = {}
    for phrase, owner in owners:
        by_form.setdefault(canonical(phrase), []).append((phrase, owner))
    for uses in by_form.values():
        if len(uses) > 1:
            names = " and ".join(owner for _, owner in uses)
            yield f"{uses[0][0]!r} names {names}: its captions count for each of them"


def _nested(owners: Sequence[tuple[str, str]]) -> Iterator[str]:
    index = PhraseIndex.of_texts([phrase for phrase, _ in owners])
    for longer, owner in owners:
        for position in index.contained(longer):
            shorter, other = owners[position]
            if other != owner and canonical(shorter) != canonical(longer):
                yield f"{shorter!r} ({other}) is inside {longer!r} ({owner}): its captions count for both"
