"""Corpora as rows of ``corpora.toml``, and where their files lie."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from concepts.errors import CorpusError, unknown
from concepts.own_rows import CORPUS, check_keys, registered
from corpus.image_layouts import LAYOUTS
from corpus.sources.places import is_elsewhere, shown

DATA_VARIABLE = "FIT_DATA"
PACKED = Path(__file__).resolve().parent / "data"
"""Where a wheel has the demo worlds; not there in the repository."""
ROLES = ("width", "height", "similarity", "unsafe", "watermark", "aesthetic", "language")
"""What a column may hold: size in pixels, likeness of caption and image, probabilities of being unsafe or
watermarked, predicted aesthetics, language of the caption."""


@dataclass(frozen=True, slots=True)
class ImageLocation:
    """Where the images of a corpus lie.

    Attributes:
        layout: ``webdataset`` (img2dataset's tar files, each with a Parquet index beside it) or ``files``
            (folders of images, each with its index beside it).
        path: A folder, or a glob of the tar files or of the indexes, relative to the data folder.
    """

    layout: str
    path: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus: captions with the addresses of their images.

    Attributes:
        name: The key, as in ``--corpus``.
        title: The name for readers.
        kind: What is counted: ``captions``.
        captions: Glob of the Parquet shards, relative to the data folder.
        source: Where the corpus comes from.
        licence: Under which licence.
        access: What has to be done before it may be had; empty: nothing.
        hub: Its repository (a data set) on the hub; empty where it has none.
        fetch: How it is had when the hub has it not in this form: a command, with ``{folder}`` for where to.
        parts: Rows of the registry that it is made of; empty: it is not a union of others.
        subset_of: Row of the registry that it is a part of, so that what was trained on the whole was trained
            on it; empty: none.
        rows: How many rows it has, as published; 0: not known.
        bytes: Size of the Parquet files in bytes, as published; 0: not known.
        caption_column: The column with the captions; empty: found by its name.
        url_column: The column with the addresses; empty: found by its name.
        columns: What conditions can be put on: the release's name of a column by what it holds (`ROLES`).
            Only names that a source states.
        images: Where the images lie, None when they are not on this machine.
        references: Parquet file with the concepts' reference images; empty when there is none.
        where: SQL condition on the shard's columns: the rows that models were trained on. Empty: all.
        where_source: Where that condition is stated.
        scorer: The scorer that suits the corpus; empty: the domain's.
        concepts: The concept list that suits it in its domain, ``<domain>/<set>``; empty: the domain's.
        cleaned: Where it is stated that the release was cleaned of links to suspected unlawful images; empty:
            not known, and no image of it is fetched unless that is accepted in so many words.
        note: What a user should know.
    """

    name: str
    title: str
    kind: str
    captions: str
    source: str
    licence: str
    access: str = ""
    hub: str = ""
    fetch: str = ""
    parts: tuple[str, ...] = ()
    subset_of: str = ""
    rows: int = 0
    bytes: int = 0
    caption_column: str = ""
    url_column: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    images: ImageLocation | None = None
    references: str = ""
    where: str = ""
    where_source: str = ""
    scorer: str = ""
    concepts: str = ""
    cleaned: str = ""
    note: str = ""


def data_folder() -> Path:
    """Return the folder where corpora's paths start: ``$FIT_DATA``, else the one with the demo worlds.

    That is ``data/`` of the repository, or what the wheel brings of it.
    """
    given = os.environ.get(DATA_VARIABLE)
    if given:
        return Path(given)
    return PACKED if PACKED.is_dir() else PACKED.parents[1] / "data"


def resolve(path: str) -> Path:
    """Return a corpus row's path (or glob) as it is found on this machine."""
    return data_folder() / path


def captions_place(corpus: Corpus) -> str:
    """Return where a corpus's captions lie, on this machine or elsewhere, as `corpus.shards` takes it."""
    return corpus.captions if is_elsewhere(corpus.captions) else str(resolve(corpus.captions))


def corpora() -> tuple[Corpus, ...]:
    """Return all corpora, one's own among them, in the order of their names.

    Raises:
        CorpusError: An own row is malformed, or has the name of a shipped one.
    """
    table = tomllib.loads(files("corpus").joinpath("corpora.toml").read_text(encoding="utf-8"))
    return registered(CORPUS, table, corpus_of)


def load_corpus(name: str) -> Corpus:
    """Return a corpus by its name.

    A name with a ``/`` or a ``*``, or one that is there as a file or folder, stands for shards of one's own:
    a folder, a file or a glob, here or behind a URL, or ``hub:NAME``.

    Raises:
        CorpusError: There is no such corpus; the message lists those that there are and the nearest.
    """
    known = {corpus.name: corpus for corpus in corpora()}
    if name in known:
        return known[name]
    if is_elsewhere(name) or "/" in name or "*" in name or Path(name).exists():
        return Corpus(
            name=shown(name),
            title=Path(shown(name)).name,
            kind="captions",
            captions=name if is_elsewhere(name) else str(Path(name).absolute()),
            source="given by path",
            licence="not stated",
        )
    raise CorpusError(unknown("corpus", name, known) + "; or give a folder or glob of Parquet shards")


def corpus_of(name: str, row: dict[str, Any]) -> Corpus:
    """Return the corpus that a row describes.

    Raises:
        CorpusError: A key is missing or unknown, or the images' layout is.
    """
    check_keys(CORPUS, name, row, Corpus)
    made = {key: _value(name, key, value) for key, value in row.items()}
    if made.get("where") and not made.get("where_source"):
        raise CorpusError(f"corpus {name}: where stands without where_source; say where it is stated")
    return Corpus(name=name, **made)


def _value(name: str, key: str, value: Any) -> Any:
    """Return a row's value as `Corpus` keeps it."""
    where = f"corpus {name}: {key}"
    if key == "images":
        return _images(name, value)
    if key == "columns":
        return _columns(where, value)
    if key == "parts":
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise CorpusError(f"{where} = {value!r}; it has to be a list of names of corpora")
        return tuple(value)
    kind = int if key in ("rows", "bytes") else str
    if not isinstance(value, kind) or isinstance(value, bool):
        raise CorpusError(f"{where} = {value!r}; it has the wrong type")
    return value


def _columns(where: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(column, str) for column in value.values()):
        raise CorpusError(f"{where} = {value!r}; it has to be a table of names of columns, by their roles")
    for role in value:
        if role not in ROLES:
            raise CorpusError(f"{where}: {unknown('role of a column', role, ROLES)}")
    return dict(value)


def _images(name: str, row: Any) -> ImageLocation:
    if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
        raise CorpusError(f"corpus {name}: images = {row!r}; it has to be a table with layout and path")
    if set(row) != {"layout", "path"}:
        raise CorpusError(
            f"corpus {name}: images needs the keys layout and path, not {', '.join(sorted(row))}"
        )
    if row["layout"] not in LAYOUTS:
        raise CorpusError(f"corpus {name}: {unknown('layout of images', row['layout'], LAYOUTS)}")
    return ImageLocation(layout=row["layout"], path=row["path"])
