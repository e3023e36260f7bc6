"""Reference images from a Parquet file or from a folder in the `imagefolder` layout of `datasets`.

An image belongs to the concept that the folder around it is called by (``FOLDER/Claude Monet/a.png``, also
below ``train/`` and the like), or that a ``metadata.csv`` or ``metadata.jsonl`` names: columns ``file_name``
(relative to the metadata file), ``concept`` or ``label``, and optionally ``author``, ``licence``, ``page``.
"""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from concepts.concept import Concept
from concepts.errors import CorpusError
from corpus.references import ReferenceImage, read_references
from fit.report.csv_tables import text_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
METADATA = ("metadata.csv", "metadata.jsonl")
LABELS = ("concept", "label")


def read_reference_images(
    source: Path, concepts: Iterable[Concept], maximum: int | None = None
) -> dict[str, tuple[ReferenceImage, ...]]:
    """Return the reference images of each concept, by ascending key.

    Args:
        source: A Parquet file with `concept`, `key`, `image`; or a folder of images, as above. A concept is
            called by its name or slug.
        concepts: Whose images are wanted; one without any gets an empty tuple.
        maximum: Most images of a concept, the first by key; None: all.

    Raises:
        CorpusError: The source is missing or not readable.
    """
    wanted = tuple(concepts)
    if not source.is_dir():
        return read_references(source, (concept.name for concept in wanted), maximum)
    files = labelled_files(source)
    found = {}
    for concept in wanted:
        names = (_normal(concept.name), concept.slug)
        places = next((files[name] for name in names if name in files), [])
        found[concept.name] = tuple(_image(source, path, about) for path, about in places[:maximum])
    return found


def labelled_files(source: Path) -> dict[str, list[tuple[Path, Mapping[str, str]]]]:
    """Return concept (NFC) -> its image files, sorted, each with its row of metadata.

    Raises:
        CorpusError: No image is below a concept's folder or named by metadata, or metadata is malformed.
    """
    described = dict(_described(source))
    files: dict[str, list[tuple[Path, Mapping[str, str]]]] = {}
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        about = described.get(path, {})
        label = next((about[key] for key in LABELS if about.get(key)), "")
        if not label and path.parent != source:
            label = path.parent.name
        if label:
            files.setdefault(_normal(label), []).append((path, about))
    if not files:
        raise CorpusError(
            f"{source}: no folder of any concept there; make one, called by the concept's name, with images"
        )
    return files


def _image(source: Path, path: Path, about: Mapping[str, str]) -> ReferenceImage:
    inside = path.relative_to(source)
    key = path.name if len(inside.parts) <= 2 else inside.as_posix()
    credit = {name: about.get(name) or "" for name in ("author", "licence", "page")}
    return ReferenceImage(key, path.read_bytes(), **credit)


def _described(source: Path) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """Yield (image file, its row) of every metadata file below a folder."""
    for name in METADATA:
        for path in sorted(source.rglob(name)):
            for number, row in enumerate(_rows(path), 1):
                if not row.get("file_name"):
                    raise CorpusError(f"{path}: row {number} has no file_name; it names the image's file")
                yield path.parent / row["file_name"], row


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".csv":
            cells = csv.DictReader(text.splitlines())
            return [{k: text_of(v or "") for k, v in row.items() if k} for row in cells]
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [{str(key): str(value) for key, value in row.items()} for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, RecursionError, AttributeError) as error:
        raise CorpusError(f"{path}: not readable metadata ({str(error).splitlines()[0]})") from error


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)
