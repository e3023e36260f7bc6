"""Corpora as rows of ``corpora.toml``, and where their files lie."""

from __future__ import annotations

import os
import tomllib
from dataclasses import MISSING, dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from concepts.errors import CorpusError, unknown
from corpus.image_layouts import LAYOUTS

DATA_VARIABLE = "FIT_DATA"


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
        caption_column: The column with the captions; empty: found by its name.
        url_column: The column with the addresses; empty: found by its name.
        images: Where the images lie, None when they are not on this machine.
        references: Parquet file with the concepts' reference images; empty when there is none.
        where: SQL condition on the shard's columns: the rows that models were trained on. Empty: all.
        scorer: The scorer that suits the corpus; empty: the domain's.
        note: What a user should know.
    """

    name: str
    title: str
    kind: str
    captions: str
    source: str
    licence: str
    caption_column: str = ""
    url_column: str = ""
    images: ImageLocation | None = None
    references: str = ""
    where: str = ""
    scorer: str = ""
    note: str = ""


def data_folder() -> Path:
    """Return the folder where corpora's paths start: ``$FIT_DATA``, else the repository's ``data/``."""
    given = os.environ.get(DATA_VARIABLE)
    return Path(given) if given else Path(__file__).resolve().parent.parent / "data"


def resolve(path: str) -> Path:
    """Return a corpus row's path (or glob) as it is found on this machine."""
    return data_folder() / path


def corpora() -> tuple[Corpus, ...]:
    """Return all corpora in the order of their names."""
    table = tomllib.loads(files("corpus").joinpath("corpora.toml").read_text(encoding="utf-8"))
    return tuple(corpus_of(name, table[name]) for name in sorted(table))


def load_corpus(name: str) -> Corpus:
    """Return a corpus by its name.

    A name with a ``/`` or a ``*``, or one that is there as a file or folder, stands for Parquet shards of
    one's own: a folder, a file or a glob.

    Raises:
        CorpusError: There is no such corpus; the message lists those that there are and the nearest.
    """
    known = {corpus.name: corpus for corpus in corpora()}
    if name in known:
        return known[name]
    if "/" in name or "*" in name or Path(name).exists():
        return Corpus(
            name=name,
            title=Path(name).name,
            kind="captions",
            captions=str(Path(name).absolute()),
            source="given by path",
            licence="not stated",
        )
    raise CorpusError(unknown("corpus", name, known) + "; or give a folder or glob of Parquet shards")


def corpus_of(name: str, row: dict[str, Any]) -> Corpus:
    """Return the corpus that a row describes.

    Raises:
        CorpusError: A key is missing or unknown, or the images' layout is.
    """
    allowed = {field.name for field in fields(Corpus)} - {"name"}
    needed = {field.name for field in fields(Corpus) if field.default is MISSING} - {"name"}
    for key in sorted(row.keys() - allowed):
        raise CorpusError(f"corpus {name}: {unknown('key', key, allowed)}")
    if missing := sorted(needed - row.keys()):
        raise CorpusError(f"corpus {name}: the key {missing[0]} is missing")
    images = row.get("images")
    return Corpus(name=name, **{**row, "images": None if images is None else _images(name, images)})


def _images(name: str, row: dict[str, str]) -> ImageLocation:
    if set(row) != {"layout", "path"}:
        raise CorpusError(
            f"corpus {name}: images needs the keys layout and path, not {', '.join(sorted(row))}"
        )
    if row["layout"] not in LAYOUTS:
        raise CorpusError(f"corpus {name}: {unknown('layout of images', row['layout'], LAYOUTS)}")
    return ImageLocation(layout=row["layout"], path=row["path"])
