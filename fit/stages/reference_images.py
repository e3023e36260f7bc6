"""Reference images from a Parquet file or from a folder with one sub-folder for each concept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from concepts.concept import Concept
from concepts.errors import CorpusError
from corpus.references import ReferenceImage, read_references

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def read_reference_images(
    source: Path, concepts: Iterable[Concept], maximum: int
) -> dict[str, tuple[ReferenceImage, ...]]:
    """Return the reference images of each concept, at most `maximum`, by ascending key.

    Args:
        source: A Parquet file with `concept`, `key`, `image`; or a folder with a sub-folder for each
            concept, called by the concept's name or slug, with PNG, JPEG or WebP files.
        concepts: Whose images are wanted; one without any gets an empty tuple.
        maximum: Most images of a concept, the first by key.

    Raises:
        CorpusError: The source is missing or not readable.
    """
    wanted = tuple(concepts)
    if not source.is_dir():
        return read_references(source, (concept.name for concept in wanted), maximum)
    folders = {
        unicodedata.normalize("NFC", entry.name): entry for entry in source.iterdir() if entry.is_dir()
    }
    if not folders:
        raise CorpusError(
            f"{source}: no folder of any concept there; make one, called by the concept's name, with images"
        )
    found = {}
    for concept in wanted:
        names = (unicodedata.normalize("NFC", concept.name), concept.slug)
        folder = next((folders[name] for name in names if name in folders), None)
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES) if folder else []
        found[concept.name] = tuple(ReferenceImage(p.name, p.read_bytes()) for p in files[:maximum])
    return found
