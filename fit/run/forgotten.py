"""Who was removed from a run: digests of the phrases that named them, so that they do not come back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fit.run import artefacts

NAME = "forgotten.json"
PENDING = "forgetting.json"
"""While somebody is being removed: the stages whose receipts are to be written anew afterwards."""


def forgotten(folder: Path) -> frozenset[str]:
    """Return the digests of the phrases (`concepts.removal.phrase_digest`) that this run may not hold."""
    return frozenset(digest for phrases in _concepts(folder) for digest in phrases)


def number_forgotten(folder: Path) -> int:
    """Return how many concepts were removed from a run."""
    return len(_concepts(folder))


def note_forgotten(folder: Path, digests: Iterable[str]) -> None:
    """Note that a concept is removed, by the digests of its phrases; a second time changes nothing."""
    new = set(digests) - forgotten(folder)
    if new:
        concepts = [*_concepts(folder), sorted(new)]
        artefacts.write_json(folder / NAME, {"format": 1, "concepts": concepts})


def _concepts(folder: Path) -> list[list[str]]:
    path = folder / NAME
    found: Any = artefacts.read_json(path)["concepts"] if path.is_file() else []
    return [list(each) for each in found]
