"""What to count, and what a naming row is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import NamedTuple

from concepts.concept import Concept

DEFAULT_SAMPLE = 400
MOST_SAMPLED = 4_000_000
"""Rows that a sample may hold in all: they are kept in memory with their captions, about a gigabyte."""


@dataclass(frozen=True, slots=True)
class CaptionQuery:
    """What to count.

    Attributes:
        concepts: The concepts, at least one, names unique.
        seed: Seed of the sample.
        sample: Rows to sample per concept, at least 0.
        where: SQL condition: which rows to count. Empty: all.
        phases: Name and SQL condition (empty: all) of each phase of a model's training, to be counted beside.
    """

    concepts: tuple[Concept, ...]
    seed: int = 0
    sample: int = DEFAULT_SAMPLE
    where: str = ""
    phases: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The concepts' names, in their order."""
        return tuple(concept.name for concept in self.concepts)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that the answer depends on beside the shard."""
        concepts = [[concept.name, *concept.phrases] for concept in self.concepts]
        asked = [concepts, self.seed, self.sample, self.where, self.phases]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


class NamingRow(NamedTuple):
    """A row whose caption names concepts.

    Attributes:
        row: Its number in the file, from 0.
        url: Its address, None where there is none.
        owners: Positions of the concepts in the query, ascending.
    """

    row: int
    url: str | None
    owners: tuple[int, ...]
