"""Who was removed from a run: digests of the phrases that named them, so that they do not come back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from concepts.errors import RunFolderError
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
    if not path.is_file():
        return []
    try:
        found: Any = artefacts.read_json(path)["concepts"]
        if isinstance(found, list) and all(map(_is_texts, found)):
            return found
    except (artefacts.DamagedFile, KeyError, TypeError):
        pass
    # Never taken for empty: whoever was forgotten would come back.
    raise RunFolderError(f"{path}: damaged; put the file back, or delete the run folder")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
